// The detail of one log: its fields, the logs around it, its trace, and how it was read.

import { request } from "./api.js";
import { NARROW } from "./covers.js";
import { h, iconButton } from "./dom.js";
import { explained } from "./errors.js";
import { levelOf } from "./fields.js";
import { LogFields } from "./log_fields.js";
import { LogLines } from "./log_lines.js";
import { showReading } from "./log_reading.js";
import { longTime } from "./time.js";

const TABS = [
  ["fields", "Fields"],
  ["context", "Context"],
  ["trace", "Trace"],
  ["reading", "How it was read"],
];
/**
 * `onClose()`, `onStep(by)`, `onTab(name)`, `onFilter(name, value, isOut)`, `onColumn(name)`, `onQuery(changes)` and
 * `onOpen(row)` are called on the user's actions. The tabs have further ones: log_fields.js, log_lines.js.
 */
export class LogDetail {
  #row = null;
  #expected = null;
  #tab = "fields";
  #running = new AbortController();

  constructor({ panel, onClose, onStep, onTab, ...listeners }) {
    Object.assign(this, { panel, onClose, onStep, onTab });
    this.fields = new LogFields(listeners);
    this.lines = new LogLines({ ...listeners, onChange: () => this.#render() });
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
      const { title, advice, details } = explained(error);
      this.panel.replaceChildren(this.#bar("Log"), h("p", { class: "note is-error", role: "alert" }, `${title}. ${advice}`), h("p", { class: "note" }, details));
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
    if (this.#tab === "fields") content.append(...this.fields.elements(row));
    else if (this.#tab === "reading") showReading(content, row, this.#running.signal);
    else this.lines.show(content, this.#tab, row, this.#running.signal);
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
}

function tabsOf(row) {
  return TABS.filter(([name]) => name !== "trace" || row.trace_id);
}
