// Keys: / for the search, ? for the sheet, g and a letter to go, j and k in lists, p to propose.
// None acts in a field, with a modifier, or when the reader has turned them off.

const WAIT = 1200;

function typing(target) {
  return target.isContentEditable || target.closest("input, textarea, select, [role=textbox]");
}

function places() {
  const list = document.querySelectorAll(".shortcut-list [data-go]");
  return new Map([...list].map((row) => [row.dataset.go, row.dataset.url]));
}

function rows() {
  return [...document.querySelectorAll("[data-rows] [data-row]")];
}

function moveTo(step) {
  const all = rows();
  if (!all.length) return false;
  const now = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
  const link = next.matches("a") ? next : next.querySelector("a");
  link?.focus();
  return true;
}

export function start() {
  let waitsSince = 0;

  document.addEventListener("keydown", (event) => {
    if (!document.body.hasAttribute("data-single-keys")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;

    const afterG = event.timeStamp - waitsSince < WAIT;
    waitsSince = 0;
    if (afterG && places().has(event.key)) {
      event.preventDefault();
      location.assign(places().get(event.key));
      return;
    }
    let done = true;
    if (event.key === "g") waitsSince = event.timeStamp;
    else if (event.key === "/") document.querySelector("[data-search]")?.focus();
    else if (event.key === "?") document.getElementById("shortcuts")?.showModal();
    else if (event.key === "j") done = moveTo(1);
    else if (event.key === "k") done = moveTo(-1);
    else if (event.key === "p") document.querySelector("[data-propose]")?.click();
    else done = false;
    if (done) event.preventDefault();
  });
}
