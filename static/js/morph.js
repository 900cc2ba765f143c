// A panel that renews itself with hx-swap="morph:outerHTML" is changed where it differs and not
// replaced, so that focus, scroll and selection stay. What the reader has opened or sent is theirs.

const THEIRS = new Set(["open", "data-sent", "data-ready"]);

window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => !THEIRS.has(name);
