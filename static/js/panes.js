// Where panes are shown one at a time, a link to a field shows the pane that the field is in.

export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href*='#']");
    if (!link || link.pathname !== location.pathname || !link.hash) return;
    const pane = document.getElementById(link.hash.slice(1))?.closest("[data-pane]");
    const choice = pane && document.querySelector(`[name="pane"][value="${pane.dataset.pane}"]`);
    if (choice) choice.checked = true;
  });
}
