// The panes of the editor, where they are shown one at a time.
//
// Each is come back to where it was left, and begins at its beginning. A link to a field shows the
// pane that the field is in.

const left = new Map();
let shown = "write";

function turned(choice) {
  left.set(shown, scrollY);
  shown = choice.value;
  const bar = parseFloat(getComputedStyle(choice.closest(".panes")).top);
  const begin = choice.closest(".editor").getBoundingClientRect().top + scrollY - bar;
  scrollTo({ top: left.get(shown) ?? Math.min(scrollY, begin) });
}

function show(field) {
  const pane = field?.closest("[data-pane]");
  const choice = pane && document.querySelector(`[name="pane"][value="${pane.dataset.pane}"]`);
  if (!choice || choice.checked) return;
  choice.checked = true;
  turned(choice);
}

export function start() {
  document.addEventListener("change", (event) => {
    if (event.target.name === "pane") turned(event.target);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href*='#']");
    if (!link || link.pathname !== location.pathname || !link.hash) return;
    show(document.getElementById(link.hash.slice(1)));
  });
  // A browser leads to the field that it refuses, unless the field is in a pane that is not shown.
  document.addEventListener("invalid", (event) => show(event.target), true);
}
