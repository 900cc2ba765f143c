// data-copy="#id" copies that field, data-copy-text="..." copies the text itself.

import { say } from "./messages.js";

const SHOWN_FOR = 2000;

export function start(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy], [data-copy-text]")) {
    if (button.dataset.ready) continue;
    button.dataset.ready = "yes";
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = button.dataset.copy && document.querySelector(button.dataset.copy);
      const text = source ? (source.value ?? source.textContent) : button.dataset.copyText;
      await navigator.clipboard.writeText(text);
      source?.select?.();
      const label = button.lastChild;
      const before = label.textContent;
      label.textContent = "Copied";
      say("Copied");
      setTimeout(() => {
        label.textContent = before;
      }, SHOWN_FOR);
    });
  }
}
