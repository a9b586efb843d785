// The detail of one log: its fields, the logs around it, and its trace.

import { request } from "./api.js";
import { copy } from "./clipboard.js";
import { NARROW } from "./covers.js";
import { h, iconButton } from "./dom.js";
import { canFilter, fieldsOf, levelOf, queryFor } from "./fields.js";
import { term } from "./query_text.js";
import { between, longTime, shortTime } from "./time.js";

const AROUND = 25; // logs before and after, at first
const MOST_AROUND = 1000;
const TRACE_MS = 3_600_000; // a trace is searched this long before and after
const MOST_OF_TRACE = 500;
const TABS = [
  ["fields", "Fields"],
  ["context", "Context"],
  ["trace", "Trace"],
];
const SAME = [
  ["service", "same service"],
  ["host", "same host"],
  ["", "everything"],
];

/**
 * `onClose()`, `onStep(by)`, `onTab(name)`, `onFilter(name, value, isOut)`, `onColumn(name)`, `onQuery(changes)` and
 * `onOpen(row)` are called on the user's actions; `columns()` returns the shown columns, `isField(name)` knows fields.
 */
export class LogDetail {
  #row = null;
  #expected = null;
  #tab = "fields";
  #same = null;
  #around = AROUND;
  #running = new AbortController();

  constructor({ panel, ...listeners }) {
    Object.assign(this, { panel, ...listeners });
  }

  /** Caches a log that `open` will request by its id. */
  expect(row) {
    this.#expected = row;
  }

  /** Shows the log with this id: the cached or shown one, or else it is fetched. */
  open(id, tab) {
    const row = [this.#expected, this.#row].find((one) => one?.id === id);
    if (row) this.#show(row, tab);
    else this.#load(id, tab);
  }

  #show(row, tab) {
    const wasOpen = this.#row !== null;
    const isSame = row.id === this.#row?.id && tab === this.#tab;
    const scrolled = isSame ? (this.panel.querySelector(".content")?.scrollTop ?? 0) : 0;
    if (row.id !== this.#row?.id) [this.#same, this.#around] = [null, AROUND];
    this.#row = row;
    this.#tab = tabsOf(row).some(([name]) => name === tab) ? tab : "fields";
    this.#render();
    this.panel.querySelector(".content").scrollTop = scrolled;
    // On a small screen it covers the list, where the focus was.
    if (!wasOpen && NARROW.matches) this.panel.querySelector('[aria-label^="Close"]').focus();
  }

  async #load(id, tab) {
    this.#begin();
    this.#row = null;
    this.panel.hidden = false;
    this.panel.replaceChildren(this.#bar("Log"), h("p", { class: "note" }, "Loading …"));
    const { signal } = this.#running;
    try {
      const { log } = await request(`/logs/${encodeURIComponent(id)}`, {}, signal);
      this.#show(log, tab);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.panel.replaceChildren(this.#bar("Log"), h("p", { class: "note is-error", role: "alert" }, error.message));
    }
  }

  /** Updates the buttons to the current columns. */
  refresh() {
    if (this.#row) this.#show(this.#row, this.#tab);
  }

  close() {
    this.#begin();
    this.#row = null;
    this.panel.hidden = true;
    this.panel.replaceChildren();
  }

  #begin() {
    this.#running.abort();
    this.#running = new AbortController();
  }

  #render() {
    this.#begin();
    const focused = this.panel.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const row = this.#row;
    const content = h("div", { class: "content", role: "tabpanel", id: "log-content", "aria-labelledby": `tab-${this.#tab}`, tabindex: "0" });
    this.panel.hidden = false;
    this.panel.replaceChildren(this.#bar(longTime(row.timestamp), row), this.#tabs(row), content);
    if (this.#tab === "fields") content.append(...this.#fields(row));
    else this.#list(content, row);
    if (focused) this.panel.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  #bar(title, row) {
    const level = row && h("span", { class: `badge level-${levelOf(row.level)}` }, row.level || "no level");
    return h(
      "header",
      { class: "bar" },
      h("h2", {}, level ?? null, row?.service ? ` ${row.service}` : null, row ? null : title),
      row ? h("p", { class: "when" }, title) : null,
      h(
        "div",
        { class: "tools" },
        iconButton("up", "Newer log (k)", () => this.onStep(-1)),
        iconButton("down", "Older log (j)", () => this.onStep(1)),
        iconButton("close", "Close (Esc)", () => this.onClose()),
      ),
    );
  }

  #tabs(row) {
    const tabs = tabsOf(row);
    const press = (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const at = tabs.findIndex(([name]) => name === this.#tab);
      this.onTab(tabs[(at + by + tabs.length) % tabs.length][0]);
      this.panel.querySelector('[role="tab"][aria-selected="true"]')?.focus();
    };
    return h(
      "div",
      { class: "tabs", role: "tablist", "aria-label": "Details", onkeydown: press },
      ...tabs.map(([name, label]) => {
        const isChosen = name === this.#tab;
        const attributes = { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(isChosen), "aria-controls": "log-content" };
        return h("button", { ...attributes, "aria-label": label, tabindex: isChosen ? "0" : "-1", onclick: () => this.onTab(name) }, label);
      }),
    );
  }

  #fields(row) {
    const link = () => new URL(`?log=${encodeURIComponent(row.id)}`, location.href).href;
    return [
      h("pre", { class: "message" }, row.message),
      row.parse_error ? h("p", { class: "note is-error" }, `Parsed only in part: ${row.parse_error}`) : null,
      h(
        "div",
        { class: "copies" },
        this.#copyButton("Copy as JSON", () => JSON.stringify(row, null, 2)),
        this.#copyButton("Copy as query", () => queryFor(row)),
        this.#copyButton("Copy link", link),
        canFilter("message", row.message)
          ? h("button", { type: "button", class: "button", onclick: () => this.onFilter("message", row.message, false) }, "Find this message")
          : null,
      ),
      h("table", { class: "fields" }, h("caption", {}, "Fields"), h("tbody", {}, ...fieldsOf(row, this.isField).map((field) => this.#field(field)))),
    ].filter(Boolean);
  }

  #field({ name, value, text, canFilter: isFilter }) {
    const isColumn = this.columns().includes(name);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", { class: "value" }, text),
      h(
        "td",
        { class: "actions" },
        isFilter ? iconButton("plus", `Only logs with this ${name}`, () => this.onFilter(name, value, false)) : null,
        isFilter ? iconButton("minus", `No logs with this ${name}`, () => this.onFilter(name, value, true)) : null,
        name === "timestamp"
          ? null
          : iconButton("column", `Column ${name}`, () => this.onColumn(name), { "aria-pressed": String(isColumn) }),
        iconButton("copy", `Copy ${name}`, (event) => this.#copy(event.currentTarget, String(value))),
      ),
    );
  }

  #copyButton(label, text) {
    return h("button", { type: "button", class: "button", onclick: (event) => this.#copy(event.currentTarget, text()) }, label);
  }

  async #copy(button, text) {
    const isDone = await copy(text);
    button.classList.add(isDone ? "is-done" : "is-failed");
    this.onAnnounce(isDone ? "Copied" : "The browser does not let this page copy");
    setTimeout(() => button.classList.remove("is-done", "is-failed"), 1200);
  }

  async #list(content, row) {
    const note = h("p", { class: "note", role: "status" }, "Loading …");
    const list = h("ol", { class: "lines" });
    content.append(this.#tab === "context" ? this.#contextTools(row) : this.#traceTools(row), note, list);
    try {
      const { rows, complete } = await (this.#tab === "context" ? this.#context(row) : this.#trace(row));
      list.append(...rows.map((other) => this.#line(other, row)));
      note.textContent = complete ? "" : "There may be more.";
      note.hidden = complete;
      list.querySelector(".is-this")?.scrollIntoView({ block: "center" });
    } catch (error) {
      if (error.name === "AbortError") return;
      note.textContent = error.message;
      note.className = "note is-error";
    }
  }

  #context(row) {
    const parameters = { same: this.#sameOf(row), before: this.#around, after: this.#around };
    return request(`/logs/${encodeURIComponent(row.id)}/context`, parameters, this.#running.signal);
  }

  async #trace(row) {
    const page = await request("/logs", { ...searchForTrace(row), limit: MOST_OF_TRACE }, this.#running.signal);
    return { rows: page.rows.reverse(), complete: page.complete && !page.next_cursor };
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
    this.#render();
  }

  #traceTools(row) {
    const onclick = () => this.onQuery(searchForTrace(row));
    return h("div", { class: "copies" }, h("button", { type: "button", class: "button", onclick }, "Search this trace"));
  }

  #line(other, row) {
    const isThis = other.id === row.id;
    return h(
      "li",
      { class: `level-${levelOf(other.level)}${isThis ? " is-this" : ""}`, "aria-current": isThis ? "true" : null },
      h(
        "button",
        { type: "button", disabled: isThis, onclick: () => this.onOpen(other) },
        h("span", { class: "time" }, shortTime(other.timestamp)),
        h("span", { class: "badge" }, other.level),
        h("span", { class: "service" }, other.service),
        h("span", { class: "text" }, other.message),
      ),
    );
  }
}

function searchForTrace(row) {
  const ms = Date.parse(row.timestamp);
  return { query: term("trace_id", row.trace_id), ...between(ms - TRACE_MS, ms + TRACE_MS) };
}

function tabsOf(row) {
  return TABS.filter(([name]) => name !== "trace" || row.trace_id);
}
