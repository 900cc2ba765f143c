// Switches between light and dark at once, and tells the server, which draws the next page so.

function shown() {
  const { theme } = document.documentElement.dataset;
  if (theme) return theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function start() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-form]")) return;
    event.preventDefault();
    const button = event.submitter;
    // The single button turns what is seen, which only the browser knows.
    const isSwitch = !button.hasAttribute("aria-pressed");
    const chosen = isSwitch ? (shown() === "dark" ? "light" : "dark") : button.value;
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    for (const other of document.querySelectorAll("[data-theme-form] [aria-pressed]")) {
      other.setAttribute("aria-pressed", String(other.value === chosen));
    }
    const body = new FormData(form);
    body.set("theme", chosen);
    fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  });
}
