// data-autosubmit sends a form of filters as soon as one is changed. A form is sent once: a second
// press while the answer is under way does nothing.

const AGAIN_AFTER = 8000;

export function start() {
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.hasAttribute("data-autosubmit")) form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || form.hasAttribute("hx-post")) return;
    if (form.hasAttribute("data-sent")) {
      event.preventDefault();
      return;
    }
    form.setAttribute("data-sent", "yes");
    setTimeout(() => form.removeAttribute("data-sent"), AGAIN_AFTER);
  });
  // A page that comes back from the history was not sent.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
  });
}
