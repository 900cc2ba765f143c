// Says things: to screen readers in the live regions, to all in toasts.

export function say(text, { loud = false } = {}) {
  const region = document.querySelector(loud ? "[data-say-loud]" : "[data-say]");
  if (!region) return;
  // The same words twice are said twice only when the region changes between.
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

export function toast(text, { tone = "", seconds = 0 } = {}) {
  const box = document.querySelector("[data-toasts]");
  if (!box) return null;
  // What is said already is not said again below it.
  const standing = [...box.children].find((one) => one.querySelector("p").textContent === text);
  if (standing) return standing;
  const note = document.createElement("div");
  note.className = `notice toast${tone ? ` notice-${tone}` : ""}`;
  note.setAttribute("role", tone === "bad" ? "alert" : "status");
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button button-small";
  close.textContent = "Close";
  close.addEventListener("click", () => note.remove());
  note.append(document.createElement("span"), words, close);
  box.append(note);
  // Errors stay until somebody has read them.
  if (seconds && tone !== "bad") setTimeout(() => note.remove(), seconds * 1000);
  return note;
}

function failed(event) {
  const { xhr } = event.detail;
  const type = xhr.getResponseHeader("Content-Type") ?? "";
  const text = type.startsWith("text/plain") ? xhr.responseText : "";
  toast(text || `That did not work (${xhr.status}). Nothing was changed. Load the page again.`, {
    tone: "bad",
  });
}

export function start() {
  for (const button of document.querySelectorAll("[data-dismiss]")) button.hidden = false;
  document.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.closest(".notice")?.remove();
  });
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", () => {
    toast("The server cannot be reached. Check your connection, then try again.", { tone: "bad" });
  });
  // A service may say something with HX-Trigger: {"say": "..."} or {"toast": {"text", "tone"}}.
  document.addEventListener("say", (event) => say(event.detail.value ?? event.detail));
  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail));
}
