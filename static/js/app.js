// Starts what pages ask for by data attributes. Pages work without any of it.

import { start as startAutosave } from "./autosave.js";
import { start as startCharts } from "./chart.js";
import { start as startCopy } from "./copy.js";
import { start as startDialogs } from "./dialogs.js";
import { start as startFaults } from "./faults.js";
import { start as startMenus } from "./menu.js";
import { start as startMessages } from "./messages.js";
import { start as startPanes } from "./panes.js";
import { start as startPreview } from "./preview.js";
import { start as startShortcuts } from "./shortcuts.js";
import { start as startSubmit } from "./submit.js";
import { start as startSuggestions } from "./suggest.js";
import { start as startTheme } from "./theme.js";

// Once for the page: they listen on the document.
startMenus();
startDialogs();
startMessages();
startFaults();
startPanes();
startPreview();
startShortcuts();
startSubmit();
startSuggestions();
startTheme();

// For each part of the page, and for each panel that htmx puts in later.
function enhance(root) {
  startCopy(root);
  startCharts(root);
  startAutosave(root);
  if (root.querySelector("[data-formula]")) {
    import("./formula.js").then(({ start }) => start(root));
  }
  root.querySelector("[data-focus]")?.focus();
}

// Where facets stand before the list they are folded, so that the list is seen first.
if (matchMedia("(max-width: 56rem)").matches) {
  for (const filters of document.querySelectorAll("[data-filters]")) filters.open = false;
}

enhance(document);
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) enhance(event.detail.elt.parentElement ?? document);
});
