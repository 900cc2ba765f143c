// Who waits for a preview by keyboard is led to what it found, and not left below it.

const isUnderWay = () => document.querySelector("#past-do:not(button)") !== null;
let waits = false;

export function start() {
  document.addEventListener("htmx:beforeSwap", () => {
    waits = isUnderWay() && document.activeElement?.id === "past-do";
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!waits || isUnderWay()) return;
    waits = false;
    document.getElementById("past-found")?.focus();
  });
}
