// The logs around a log, and those of its trace: one line each, which opens to the whole text.

import { request } from "./api.js";
import { h, iconButton } from "./dom.js";
import { inOneLine } from "./errors.js";
import { levelOf } from "./fields.js";
import { longText } from "./message_text.js";
import { term } from "./query_text.js";
import { between, dayAndClock, longTime } from "./time.js";

const AROUND = 25; // logs before and after, at first
const MOST_AROUND = 1000;
const TRACE_MS = 3_600_000; // a trace is searched this long before and after
const MOST_OF_TRACE = 500;
const FITS = 20; // characters of a message that are seen without opening it
const SAME = [
  ["service", "same service"],
  ["host", "same host"],
  ["", "everything"],
];

/** `onOpen(row)` is called for a chosen log, `onQuery(changes)` to search a trace, `onChange()` to show the tab again. */
export class LogLines {
  #id = "";
  #same = null;
  #around = AROUND;

  constructor({ onOpen, onQuery, onChange }) {
    Object.assign(this, { onOpen, onQuery, onChange });
  }

  /** Fills the tab "context" or "trace" of a log. */
  async show(content, tab, row, signal) {
    if (row.id !== this.#id) [this.#id, this.#same, this.#around] = [row.id, null, AROUND];
    const note = h("p", { class: "note", role: "status" }, "Loading …");
    const list = h("ol", { class: "lines" });
    content.append(tab === "context" ? this.#contextTools(row) : this.#traceTools(row), note, list);
    try {
      const { rows, complete } = await (tab === "context" ? this.#context(row, signal) : trace(row, signal));
      list.append(...rows.map((other) => this.#line(other, row)));
      note.textContent = complete ? "" : "There may be more.";
      note.hidden = complete;
      list.querySelector(".is-this")?.scrollIntoView({ block: "center" });
    } catch (error) {
      if (error.name === "AbortError") return;
      note.textContent = inOneLine(error);
      note.className = "note is-error";
    }
  }

  #context(row, signal) {
    const parameters = { same: this.#sameOf(row), before: this.#around, after: this.#around };
    return request(`/logs/${encodeURIComponent(row.id)}/context`, parameters, signal);
  }

  #contextTools(row) {
    const chosen = this.#sameOf(row);
    const choices = SAME.filter(([same]) => same !== "service" || row.service).filter(([same]) => same !== "host" || row.resource?.["host.name"]);
    return h(
      "div",
      { class: "copies", role: "group", "aria-label": "Logs around this one from" },
      ...choices.map(([same, label]) =>
        h("button", { type: "button", class: "button", "aria-label": label, "aria-pressed": String(same === chosen), onclick: () => this.#set({ same }) }, label),
      ),
      this.#around < MOST_AROUND
        ? h("button", { type: "button", class: "button", "aria-label": "More", onclick: () => this.#set({ around: Math.min(MOST_AROUND, this.#around * 4) }) }, "More")
        : null,
    );
  }

  #sameOf(row) {
    return this.#same ?? (row.service ? "service" : "");
  }

  #set({ same = this.#same, around = this.#around }) {
    [this.#same, this.#around] = [same, around];
    this.onChange();
  }

  #traceTools(row) {
    const onclick = () => this.onQuery(searchForTrace(row));
    return h("div", { class: "copies" }, h("button", { type: "button", class: "button", onclick }, "Search this trace"));
  }

  #line(other, row) {
    const isThis = other.id === row.id;
    // A line is short: it has the day only where that is another one.
    const [day, clock] = dayAndClock(other.timestamp);
    const time = day === dayAndClock(row.timestamp)[0] ? clock : `${day} ${clock}`;
    const first = other.message.split(/\r?\n/, 1)[0];
    const line = h(
      "li",
      { class: `level-${levelOf(other.level)}${isThis ? " is-this" : ""}`, "aria-current": isThis ? "true" : null },
      h(
        "button",
        { type: "button", class: "open", disabled: isThis, onclick: () => this.onOpen(other) },
        h("span", { class: "time", title: longTime(other.timestamp) }, time),
        h("span", { class: "badge" }, other.level),
        h("span", { class: "service" }, other.service),
        h("span", { class: "text" }, first),
      ),
    );
    if (first.length > FITS || first.length < other.message.length) line.append(opener(line, other.message));
    return line;
  }
}

/** The button that shows the whole text below a line, or hides it. */
function opener(line, text) {
  const onclick = ({ currentTarget: button }) => {
    const isOpen = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) line.append(longText(text, { label: "Whole message" }));
    else line.querySelector("pre")?.remove();
  };
  return iconButton("down", "Whole message", onclick, { class: "icon-button opener", "aria-expanded": "false" });
}

async function trace(row, signal) {
  const page = await request("/logs", { ...searchForTrace(row), limit: MOST_OF_TRACE }, signal);
  return { rows: page.rows.reverse(), complete: page.complete && !page.next_cursor };
}

function searchForTrace(row) {
  const ms = Date.parse(row.timestamp);
  return { query: term("trace_id", row.trace_id), ...between(ms - TRACE_MS, ms + TRACE_MS) };
}
