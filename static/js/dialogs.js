// data-dialog="id" opens the dialog of that id; the browser keeps the focus inside and gives it
// back. Without script the same element is a link or a button of a form.

export function start() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog instanceof HTMLDialogElement) {
      event.preventDefault();
      opener.closest("details[data-menu]")?.removeAttribute("open");
      dialog.showModal();
      return;
    }
    if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
    // A click on the backdrop is a click on the dialog itself, outside of its box.
    if (event.target instanceof HTMLDialogElement && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside =
        event.clientX >= box.left &&
        event.clientX <= box.right &&
        event.clientY >= box.top &&
        event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
  });
}
