// A panel that renews itself with hx-swap="morph:outerHTML" is changed where it differs and not
// replaced, so that focus, scroll and selection stay. What the reader has opened or sent is theirs.

const THEIRS = new Set(["open", "data-sent", "data-ready"]);

const { callbacks } = window.Idiomorph.defaults;

callbacks.beforeAttributeUpdated = (name) => !THEIRS.has(name);

// A chart stays as its reader left it, or is begun anew as a whole: its script has added to it.
callbacks.beforeNodeMorphed = (old, fresh) => {
  if (!(old instanceof HTMLElement) || old.dataset.chart === undefined) return true;
  if (old.dataset.chart !== fresh.dataset?.chart && fresh.dataset?.chart !== undefined) {
    old.dataset.chart = fresh.dataset.chart;
    old.setAttribute("aria-label", fresh.getAttribute("aria-label"));
    old.replaceChildren(...fresh.cloneNode(true).childNodes);
    delete old.chart;
  }
  return false;
};
