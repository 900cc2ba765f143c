// A field for formulas and filters: completion of names, colours, brackets, and what is wrong
// while one types. It stands in front of a textarea, which keeps the text and is what is sent.
//
//   <textarea name="filter" data-formula data-names="#names" data-lint="/url"
//             data-lint-form></textarea>
//   <script id="names" type="application/json">
//     [{"label": "department", "type": "dimension", "detail": "of sales", "info": "…"}]</script>
//
// A name with `of` is offered when the field of `data-names-of` chooses one of these, or nothing.
// With `data-aggregates` the field takes `sum(…)` and the like; elsewhere one row is spoken of.
// `data-lint` gets a POST of {text, field} (with data-lint-form: of the whole form, too) and
// answers {"problems": [{"message", "fix", "level", "from"?, "to"?}]}, in characters.

import {
  autocompletion,
  bracketMatching,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  defaultKeymap,
  drawSelection,
  EditorState,
  EditorView,
  forceLinting,
  HighlightStyle,
  highlightSpecialChars,
  history,
  historyKeymap,
  keymap,
  lintKeymap,
  linter,
  placeholder,
  StreamLanguage,
  syntaxHighlighting,
  tags,
} from "../vendor/codemirror.js";

const LINT_AFTER = 400;
const SEVERITY = { blocks: "error", needs_answer: "warning", advice: "info" };
const ICON_OF = { metric: "variable", dimension: "property", column: "property" };
const KEYWORDS = new Set(
  "and or not in is null like between case when then else end distinct true false as cast".split(
    " ",
  ),
);
const AGGREGATES = new Set("sum count avg min max median count_if quantile_cont".split(" "));
const FUNCTIONS = new Set(
  "coalesce nullif abs round ceil floor lower upper trim length greatest least date_trunc extract".split(
    " ",
  ),
);

const language = StreamLanguage.define({
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^--.*/)) return "comment";
    if (stream.match(/^'(?:[^']|'')*'?/)) return "string";
    if (stream.match(/^\d+(?:\.\d+)?/)) return "number";
    const word = stream.match(/^[A-Za-z_]\w*/);
    if (word) {
      const name = word[0].toLowerCase();
      if (KEYWORDS.has(name)) return "keyword";
      if (FUNCTIONS.has(name) || AGGREGATES.has(name) || stream.match(/^\s*\(/, false)) return "function";
      return "variableName";
    }
    if (stream.match(/^[<>=!*/+\-|%]+/)) return "operator";
    stream.next();
    return null;
  },
  tokenTable: { function: tags.function(tags.variableName) },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--chart-4)" },
  { tag: tags.function(tags.variableName), color: "var(--chart-2)" },
  { tag: tags.string, color: "var(--chart-3)" },
  { tag: tags.number, color: "var(--accent-ink)" },
  { tag: tags.comment, color: "var(--ink-3)" },
]);

const theme = EditorView.theme({
  "&": {
    border: "1px solid var(--edge)",
    borderRadius: "8px",
    backgroundColor: "var(--surface)",
    color: "var(--ink)",
    fontSize: "var(--text-s)",
  },
  "&.cm-focused": { outline: "2px solid var(--focus)", borderColor: "var(--focus)" },
  "&.is-invalid": { borderColor: "var(--bad)", boxShadow: "inset 3px 0 0 var(--bad)" },
  ".cm-content": { padding: "8px 4px", minHeight: "2.2rem", caretColor: "var(--ink)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", maxHeight: "24rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "color-mix(in srgb, var(--accent) 26%, transparent)" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-placeholder": { color: "var(--ink-3)" },
  ".cm-tooltip": {
    border: "1px solid var(--line)",
    borderRadius: "8px",
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    boxShadow: "var(--shadow-l)",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "var(--text-s)" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "4px 10px !important" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent) !important",
    color: "var(--on-accent) !important",
  },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.85", fontFamily: "var(--sans)" },
  ".cm-completionInfo": { fontFamily: "var(--sans)", padding: "8px 12px" },
  ".cm-diagnostic": { padding: "6px 10px", fontFamily: "var(--sans)" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--warn)" },
  ".cm-diagnostic-info": { borderLeft: "3px solid var(--info)" },
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy 1px" },
  ".cm-lintRange-error": { textDecorationColor: "var(--bad)" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warn)" },
  ".cm-lintRange-info": { textDecorationColor: "var(--info)" },
});

function within(field) {
  return field.dataset.namesOf ? document.querySelector(field.dataset.namesOf) : null;
}

function names(field) {
  const source = field.dataset.names && document.querySelector(field.dataset.names);
  return source ? JSON.parse(source.textContent) : [];
}

// What is chosen is written with its brackets, and the cursor stands between them.
function called(label, before, after, detail) {
  return {
    label,
    detail,
    type: "function",
    apply: (view, _, from, to) => {
      view.dispatch({
        changes: { from, to, insert: before + after },
        selection: { anchor: from + before.length },
        userEvent: "input.complete",
      });
    },
  };
}

function aggregates() {
  return [
    ...[...AGGREGATES].map((name) => called(name, `${name}(`, ")")),
    called("count distinct", "count(distinct ", ")", "how many different"),
    called("count rows", "count(*)", "", "how many rows"),
    called("filter", "filter (where ", ")", "only some rows"),
  ];
}

function completion(field) {
  const known = names(field).map((name) => ({
    of: name.of,
    label: name.label,
    type: ICON_OF[name.type] ?? name.type,
    detail: name.of ? `${name.detail} of ${name.of.join(", ")}` : name.detail,
    info: name.info,
    boost: name.type === "metric" ? 1 : 0,
  }));
  const functions = [...FUNCTIONS].map((label) => ({ label, type: "function", boost: -1 }));
  if ("aggregates" in field.dataset) functions.push(...aggregates());
  const chosen = within(field);
  return (context) => {
    const word = context.matchBefore(/(?:\bcount\s+)?\w+/);
    if (!word && !context.explicit) return null;
    const at = chosen?.value;
    return {
      from: word ? word.from : context.pos,
      options: [...known.filter(({ of }) => !at || !of || of.includes(at)), ...functions],
      validFor: /^(?:count\s+)?\w*$/,
    };
  };
}

// The problems that the server finds, at their places; one without a place is about the whole.
function check(field) {
  return async (view) => {
    const text = view.state.doc.toString();
    if (!text.trim()) return [];
    const body = new FormData("lintForm" in field.dataset ? field.form : undefined);
    body.set("text", text);
    body.set("field", field.name);
    body.set(
      "csrfmiddlewaretoken",
      field.form.elements.namedItem("csrfmiddlewaretoken")?.value ?? "",
    );
    const response = await fetch(field.dataset.lint, {
      method: "POST",
      body,
      headers: { "X-Requested-With": "fetch", Accept: "application/json" },
    }).catch(() => null);
    if (!response?.ok) return [];
    const { problems } = await response.json();
    field.dispatchEvent(new CustomEvent("linted", { bubbles: true, detail: problems }));
    view.dom.classList.toggle(
      "is-invalid",
      problems.some((problem) => (problem.level ?? "blocks") === "blocks"),
    );
    const length = view.state.doc.length;
    return problems.map((problem) => ({
      from: Math.min(problem.from ?? 0, length),
      to: Math.min(problem.to ?? length, length),
      severity: SEVERITY[problem.level] ?? "error",
      message: [problem.message, problem.fix].filter(Boolean).join(" "),
    }));
  };
}

// Chromium types over underlined text with the look of what was there, as an inline style, which
// the content security policy refuses. Brackets and quotes are put around what is selected.
const typesOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const isPlain = event.inputType === "insertText" && /^[^()[\]{}'"]+$/.test(event.data ?? "");
    if (!isPlain || view.state.selection.main.empty || view.state.readOnly) return false;
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type" });
    event.preventDefault();
    return true;
  },
});

function labelOf(field) {
  const label = field.labels?.[0]?.textContent.trim();
  return field.getAttribute("aria-label") ?? label ?? field.name;
}

function open(field) {
  field.dataset.ready = "yes";
  const attributes = { "aria-label": labelOf(field) };
  for (const name of ["aria-describedby", "aria-invalid", "aria-required"]) {
    if (field.hasAttribute(name)) attributes[name] = field.getAttribute(name);
  }
  const view = new EditorView({
    state: EditorState.create({
      doc: field.value,
      extensions: [
        history(),
        drawSelection(),
        highlightSpecialChars(),
        bracketMatching(),
        closeBrackets(),
        typesOver,
        language,
        syntaxHighlighting(colours),
        theme,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of(attributes),
        placeholder(field.placeholder ?? ""),
        autocompletion({ override: [completion(field)], icons: false }),
        field.dataset.lint ? linter(check(field), { delay: LINT_AFTER }) : [],
        // Tab leaves the field, as everywhere: no keyboard trap.
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...lintKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          field.value = update.state.doc.toString();
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }),
        field.readOnly ? EditorState.readOnly.of(true) : [],
      ],
    }),
  });
  field.after(view.dom);
  field.hidden = true;
  field.editor = view;
  for (const label of field.labels ?? []) {
    label.addEventListener("click", () => view.focus());
  }
  // The field takes the focus without being scrolled to.
  const lead = () => {
    view.focus();
    view.dom.scrollIntoView({ block: "center" });
  };
  // Links of the error summary lead to the field's id, which is hidden now.
  document.addEventListener("click", (event) => {
    if (!field.id || !event.target.closest(`a[href="#${field.id}"]`)) return;
    event.preventDefault();
    lead();
  });
  if (location.hash === `#${field.id}`) lead();
  within(field)?.addEventListener("change", () => forceLinting(view));
  field.addEventListener("restored", () => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: field.value } });
  });
}

export function start(root) {
  for (const field of root.querySelectorAll("[data-formula]")) {
    if (!field.dataset.ready) open(field);
  }
}
