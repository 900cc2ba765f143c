// A cursor, a walk by arrow keys and switches of the legend, over a chart that the server drew.
//
// The drawing stands in .chart-plot; the JSON in data-chart says where each point lies: x in percent
// of the plot, y in pixels. It is no script, since htmx takes scripts out of what it swaps in. Nothing is drawn anew, so print, export and theme need no script.

import { say } from "./messages.js";

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.plot = figure.querySelector(".chart-plot");
    this.svg = this.plot.querySelector("svg");
    this.data = JSON.parse(figure.dataset.chart);
    this.at = -1;
    this.off = new Set();
    this.build();
    this.listen();
    this.switches();
  }

  build() {
    this.cursor = document.createElement("div");
    this.cursor.className = "chart-cursor";
    this.tip = document.createElement("div");
    this.tip.className = "chart-tip";
    this.dots = this.data.series.map(({ style }) => {
      const dot = document.createElement("div");
      dot.className = `chart-dot${style ? ` chart-dot-${style}` : ""}`;
      return dot;
    });
    this.overlay = document.createElement("div");
    this.overlay.hidden = true;
    this.overlay.append(this.cursor, ...this.dots, this.tip);
    this.plot.append(this.overlay);
  }

  listen() {
    this.plot.addEventListener("pointermove", (event) => this.follow(event));
    this.plot.addEventListener("pointerleave", () => this.hide());
    this.plot.addEventListener("blur", () => this.hide());
    this.plot.addEventListener("keydown", (event) => this.walk(event));
    for (const mark of this.svg.querySelectorAll("[data-href]")) {
      mark.classList.add("is-link");
      mark.addEventListener("click", () => location.assign(mark.dataset.href));
    }
  }

  switches() {
    const items = this.figure.querySelectorAll(".chart-legend li");
    if (items.length < 2) return;
    for (const item of items) {
      const old = item.firstElementChild;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...old.childNodes);
      button.setAttribute("aria-pressed", "true");
      button.title = "Show or hide this line";
      old.replaceWith(button);
      button.addEventListener("click", () => this.toggle(button, Number(item.dataset.series)));
    }
  }

  toggle(button, index) {
    const hide = !this.off.has(index);
    if (hide) this.off.add(index);
    else this.off.delete(index);
    button.setAttribute("aria-pressed", String(!hide));
    this.svg.querySelector(`[data-series="${index}"]`).toggleAttribute("data-off", hide);
    this.hide();
  }

  // Where the drawing lies within the plot; its padding holds the labels of the axis.
  box() {
    const style = getComputedStyle(this.svg);
    const left = parseFloat(style.paddingLeft);
    return { left, width: this.svg.clientWidth - left - parseFloat(style.paddingRight) };
  }

  follow(event) {
    const { left, width } = this.box();
    const x = ((event.clientX - this.plot.getBoundingClientRect().left - left) / width) * 100;
    let nearest = 0;
    this.data.columns.forEach((column, index) => {
      const best = this.data.columns[nearest];
      if (Math.abs(column.x - x) < Math.abs(best.x - x)) nearest = index;
    });
    this.show(nearest);
  }

  walk(event) {
    const last = this.data.columns.length - 1;
    const now = this.at < 0 ? last + 1 : this.at;
    const page = Math.max(1, Math.round(last / 10));
    const steps = {
      ArrowLeft: now - 1,
      ArrowRight: this.at < 0 ? 0 : now + 1,
      PageUp: now - page,
      PageDown: now + page,
      Home: 0,
      End: last,
    };
    if (event.key === "Escape") this.hide();
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.show(Math.min(Math.max(steps[event.key], 0), last));
    say(this.words());
  }

  // "12 Mar 2026, 41.2 %, v7"; with more lines each says its name.
  words() {
    const column = this.data.columns[this.at];
    const shown = this.shown(column);
    const values = shown.map(({ name, text }) => (shown.length > 1 ? `${name} ${text}` : text));
    return [column.label, ...values, column.note].filter(Boolean).join(", ");
  }

  shown(column) {
    return column.values
      .map((value, index) => value && { ...value, index, name: this.data.series[index].label })
      .filter((value) => value && !this.off.has(value.index));
  }

  show(index) {
    this.at = index;
    const column = this.data.columns[index];
    const { left, width } = this.box();
    const x = left + (column.x / 100) * width;
    this.overlay.hidden = false;
    this.cursor.style.left = `${x}px`;
    this.cursor.style.top = `${this.data.top}px`;
    this.cursor.style.height = `${this.data.height - this.data.top}px`;
    for (const dot of this.dots) dot.hidden = true;
    for (const { index: line, y } of this.shown(column)) {
      this.dots[line].hidden = false;
      this.dots[line].style.left = `${x}px`;
      this.dots[line].style.top = `${y}px`;
    }
    this.write(column);
    const right = x > left + width / 2;
    this.tip.style.left = right ? "auto" : `${x + 12}px`;
    this.tip.style.right = right ? `${this.plot.clientWidth - x + 12}px` : "auto";
  }

  write(column) {
    const title = document.createElement("strong");
    title.textContent = column.label;
    const list = document.createElement("dl");
    for (const { name, text } of this.shown(column)) {
      const key = document.createElement("dt");
      key.textContent = name;
      const value = document.createElement("dd");
      value.textContent = text;
      list.append(key, value);
    }
    const note = document.createElement("div");
    note.className = "muted";
    note.textContent = column.note;
    this.tip.replaceChildren(title, list, ...(column.note ? [note] : []));
  }

  hide() {
    this.at = -1;
    this.overlay.hidden = true;
  }
}

export function start(root) {
  for (const figure of root.querySelectorAll("[data-chart]")) {
    if (figure.chart || !figure.querySelector(".chart-plot")) continue;
    figure.chart = new Chart(figure);
  }
}
