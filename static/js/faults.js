// What the server finds wrong with a draft is said at its field, too, once something is written in it.
//
// The list is the server's: links with data-place to the fields by their ids. A field that nobody
// has filled yet is not scolded.

// A longer remedy stands in the list alone.
const SHORT = 80;

function tell(link) {
  const field = document.getElementById(link.hash.slice(1));
  if (typeof field?.value !== "string" || !field.value.trim()) return;
  const shown = field.editor?.dom ?? field;
  const note = document.createElement("span");
  note.className = "field-error";
  note.dataset.fault = field.id;
  const said = [...link.closest("li").querySelectorAll("[data-said]")];
  const [what, fix] = said.map((part) => part.textContent.trim());
  note.textContent = fix?.length < SHORT ? `${what} ${fix}` : what;
  note.id = `${field.id}-fault`;
  shown.after(note);
  shown.classList.add("is-invalid");
  describe(field, (ids) => ids.add(note.id));
}

function describe(field, change) {
  const spoken = field.editor?.contentDOM ?? field;
  const ids = new Set((spoken.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  change(ids);
  if (ids.size) spoken.setAttribute("aria-describedby", [...ids].join(" "));
  else spoken.removeAttribute("aria-describedby");
}

function show() {
  for (const old of document.querySelectorAll("[data-fault]")) {
    const field = document.getElementById(old.dataset.fault);
    if (field) describe(field, (ids) => ids.delete(old.id));
    old.previousElementSibling?.classList.remove("is-invalid");
    old.remove();
  }
  for (const link of document.querySelectorAll('#live a[data-place*=".spec."][href^="#"]')) tell(link);
}

export function start() {
  show();
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest?.("#live") || event.target.querySelector?.("#live")) show();
  });
}
