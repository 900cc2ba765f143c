// A draft saves itself, three seconds after the last change.
//
//   <form data-autosave="/url" data-autosave-status="#status"> … <input name="lock" type="hidden">
//
// The answer is JSON: 200 {"lock", "saved", "saved_at"}, of which `saved` is the time
// in the zone of the reader's profile; else {"message", "url"?}. `lock` is written back
// into the field of that name. When the server cannot be reached, what was typed is kept in the
// browser and offered again. What is typed into fields with `data-aside` is no part of the draft:
// nothing is saved for its sake, and the status says that it is not. Panels refresh with hx-trigger="draft-saved from:body".

import { say, toast } from "./messages.js";

const PAUSE = 3000;
const AGAIN = 15000;

function fieldsOf(form) {
  const aside = [...form.querySelectorAll("[data-aside]")].map((field) => field.name);
  const without = new Set(["csrfmiddlewaretoken", "lock", ...aside]);
  return [...new FormData(form)].filter(
    ([name, value]) => typeof value === "string" && !without.has(name),
  );
}

class Draft {
  constructor(form) {
    this.form = form;
    // Not by `dataset`: a field of that name would stand in its place.
    this.url = form.getAttribute("data-autosave");
    this.item = form.elements.namedItem("item")?.value ?? "";
    this.key = `draft:${this.url}:${this.item}`;
    this.status = document.querySelector(form.getAttribute("data-autosave-status") ?? "[data-autosave-state]");
    this.saved = JSON.stringify(fieldsOf(form));
    this.timer = 0;
    this.busy = false;
    this.stopped = false;
    for (const name of ["input", "change"]) form.addEventListener(name, () => this.touched());
    form.addEventListener("submit", () => clearTimeout(this.timer));
    addEventListener("online", () => this.later(0));
    addEventListener("beforeunload", () => this.keep());
    this.offer();
  }

  get lock() {
    return this.form.elements.namedItem("lock")?.value;
  }

  get text() {
    return JSON.stringify(fieldsOf(this.form));
  }

  touched() {
    if (!this.stopped && this.text !== this.saved) this.show("Not saved yet");
    this.later();
  }

  later(wait = PAUSE) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.save(), wait);
  }

  show(text, { loud = false } = {}) {
    if (this.status && this.status.textContent !== text) this.status.textContent = text;
    if (loud) say(text, { loud });
  }

  keep() {
    if (this.text === this.saved) return;
    localStorage.setItem(this.key, JSON.stringify({ lock: this.lock, fields: fieldsOf(this.form) }));
  }

  async save() {
    const text = this.text;
    if (text === this.saved || this.busy) return;
    this.busy = true;
    this.show("Saving…");
    try {
      const response = await fetch(this.url, {
        method: "POST",
        body: new FormData(this.form),
        headers: { "X-Requested-With": "fetch", Accept: "application/json" },
        redirect: "manual",
      });
      await this.answered(response, text);
    } catch {
      this.keep();
      this.show("Offline. Your text is kept in this browser.", { loud: true });
      this.later(AGAIN);
    } finally {
      this.busy = false;
    }
    if (this.text !== text) this.later();
  }

  async answered(response, text) {
    if (response.type === "opaqueredirect") {
      this.keep();
      this.stopped = true;
      this.show("Your session has ended. Your text is kept in this browser: sign in again.", {
        loud: true,
      });
      return;
    }
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    const answer = isJson ? await response.json() : {};
    if (!response.ok) {
      this.keep();
      // Somebody else saved meanwhile: saving again would overwrite theirs.
      this.stopped = response.status === 409;
      this.show(answer.message ?? `Not saved (${response.status}). Your text is kept here.`, {
        loud: true,
      });
      this.form.dispatchEvent(new CustomEvent("draft-refused", { bubbles: true, detail: answer }));
      return;
    }
    this.saved = text;
    localStorage.removeItem(this.key);
    this.offered?.remove();
    const lock = this.form.elements.namedItem("lock");
    if (lock && answer.lock !== undefined) lock.value = answer.lock;
    const aside = [...this.form.querySelectorAll("textarea[data-aside]")];
    const isApplied = aside.every((field) => !field.value.trim());
    this.show(`Draft saved ${answer.saved}${isApplied ? "" : ", without what is not applied yet"}`);
    if (answer.news) toast(answer.news);
    document.body.dispatchEvent(new CustomEvent("draft-saved", { detail: answer }));
  }

  offer() {
    const stored = localStorage.getItem(this.key);
    const kept = stored && JSON.parse(stored);
    if (!kept) return;
    if (JSON.stringify(kept.fields) === this.saved) {
      // It was saved after all, by a button or before the answer came.
      localStorage.removeItem(this.key);
      return;
    }
    const note = document.createElement("div");
    this.offered = note;
    note.className = "notice notice-warn";
    const words = document.createElement("p");
    words.textContent =
      kept.lock === this.lock
        ? "This browser kept text that was not saved."
        : "This browser kept text that was not saved. The draft was saved since: what you put back replaces what is here now.";
    const restore = document.createElement("button");
    restore.type = "button";
    restore.className = "button button-small";
    restore.textContent = "Put it back";
    restore.addEventListener("click", () => {
      this.restore(kept.fields);
      note.remove();
    });
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "button button-quiet button-small";
    drop.textContent = "Throw it away";
    drop.addEventListener("click", () => {
      localStorage.removeItem(this.key);
      note.remove();
    });
    const actions = document.createElement("div");
    actions.className = "notice-actions";
    actions.append(restore, drop);
    note.append(document.createElement("span"), words, actions);
    this.form.prepend(note);
  }

  restore(fields) {
    for (const box of this.form.querySelectorAll("[type=checkbox], [type=radio]")) {
      box.checked = fields.some(([name, value]) => name === box.name && value === box.value);
    }
    for (const [name, value] of fields) {
      const field = this.form.elements.namedItem(name);
      if (field instanceof RadioNodeList || !field || field.type === "checkbox") continue;
      field.value = value;
      field.dispatchEvent(new Event("restored"));
    }
    this.later(0);
  }
}

export function start(root) {
  for (const form of root.querySelectorAll("form[data-autosave]")) {
    if (!form.draft) form.draft = new Draft(form);
  }
}
