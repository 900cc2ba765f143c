// The list below the search field: arrow keys walk along it, Escape closes it and goes back to the
// field, and it closes when the focus leaves. htmx fills it.

export function start() {
  for (const form of document.querySelectorAll("[data-suggests]")) {
    const field = form.querySelector("input[type=search]");
    const panel = form.querySelector("[data-suggestions]");
    const links = () => [...panel.querySelectorAll("a")];
    const close = () => panel.replaceChildren();

    form.addEventListener("keydown", (event) => {
      const all = links();
      if (event.key === "Escape" && panel.childElementCount) {
        event.preventDefault();
        close();
        field.focus();
      }
      if (!all.length || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
      event.preventDefault();
      const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      if (next < 0) field.focus();
      else all[Math.min(next, all.length - 1)].focus();
    });
    form.addEventListener("focusout", (event) => {
      if (!form.contains(event.relatedTarget)) close();
    });
    // An answer that comes after the focus has left would open the list again.
    panel.addEventListener("htmx:beforeSwap", (event) => {
      if (!form.contains(document.activeElement)) event.detail.shouldSwap = false;
    });
  }
}
