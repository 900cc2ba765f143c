// What the server finds wrong with a draft is said at its field, too, once something is written in it.
//
// The list is the server's: links with data-place to the fields by their ids. A field that nobody
// has filled yet is not scolded.

function said(link) {
  const field = document.getElementById(link.hash.slice(1));
  if (typeof field?.value !== "string" || !field.value.trim()) return;
  const shown = field.editor?.dom ?? field;
  const note = document.createElement("span");
  note.className = "field-error";
  note.dataset.fault = field.id;
  note.textContent = link.closest("li").querySelector("[data-said]").textContent.trim();
  shown.after(note);
  shown.classList.add("is-invalid");
}

function show() {
  for (const old of document.querySelectorAll("[data-fault]")) {
    old.previousElementSibling?.classList.remove("is-invalid");
    old.remove();
  }
  for (const link of document.querySelectorAll('#live a[data-place*=".spec."][href^="#"]')) said(link);
}

export function start() {
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest?.("#live") || event.target.querySelector?.("#live")) show();
  });
}
