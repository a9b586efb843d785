// The most frequent values of fields, to narrow the search with one click.

import { request, valuesPath } from "./api.js";
import { h, iconButton } from "./dom.js";
import { inOneLine } from "./errors.js";
import { NO_FACET, isIdentity, levelOf } from "./fields.js";
import { filterOf, filtersIn, withoutField } from "./query_text.js";
import { recall, remember } from "./remembered.js";

const FIRST = ["level", "service"];
const ALSO = ["host", "user_id"];
const MOST_FIELDS = 40;
const MOST_VALUES = 10;

/** `onFilter(name, value, { isOut, isOn })`: whether the filter excludes the value, and whether to add or remove it. */
export class Facets {
  #open = new Set(opened());
  #search = { query: "", start: "", end: "" };
  #running = new AbortController();
  #sections = new Map();

  constructor({ box, fields, onFilter }) {
    Object.assign(this, { box, fields, onFilter });
  }

  /** Shows the values of a search's logs. Runs one query after the other: the logs come first. */
  async show(search) {
    this.#search = search;
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    if (!this.#sections.size) this.#offer([...FIRST, ...ALSO]);
    for (const { list } of this.#sections.values()) list.classList.add("is-stale");
    for (const name of this.#sections.keys()) if (this.#open.has(name)) await this.#load(name, signal);
    if (signal.aborted) return;
    try {
      const found = (await this.fields.all(signal)).map(({ name }) => name).filter((name) => !NO_FACET.has(name));
      this.#offer([...new Set([...FIRST, ...ALSO, ...found.filter((name) => !isIdentity(name)), ...found.filter(isIdentity)])].slice(0, MOST_FIELDS));
      for (const name of this.#sections.keys()) if (this.#open.has(name) && !this.#sections.get(name).isLoaded) await this.#load(name, signal);
    } catch (error) {
      if (error.name !== "AbortError") this.#offer([...FIRST, ...ALSO]); // without the names of further fields
    }
  }

  /** Empties the lists: the search failed, and the values are those of another. */
  clear() {
    this.#running.abort();
    for (const section of this.#sections.values()) {
      section.list.replaceChildren();
      section.list.classList.remove("is-stale");
      section.note.textContent = "";
      section.isLoaded = false;
    }
  }

  #offer(names) {
    for (const name of this.#open) if (!names.includes(name) && this.#sections.has(name)) names = [...names, name];
    for (const name of names) if (!this.#sections.has(name)) this.#sections.set(name, this.#section(name));
    for (const name of this.#sections.keys()) if (!names.includes(name) && !this.#open.has(name)) this.#sections.delete(name);
    // Sections that stay are not touched: they may hold the focus.
    const elements = [...this.#sections.values()].map(({ element }) => element);
    for (const gone of [...this.box.children].filter((child) => !elements.includes(child))) gone.remove();
    this.box.append(...elements.filter((element) => !element.isConnected));
  }

  #section(name) {
    const list = h("ul", {});
    const note = h("p", { class: "note" });
    const element = h("details", { open: this.#open.has(name) }, h("summary", {}, h("span", { class: "name", title: name }, name)), list, note);
    const section = { element, list, note, isLoaded: false };
    element.addEventListener("toggle", () => {
      const isNew = element.open && !this.#open.has(name);
      if (element.open) this.#open.add(name);
      else this.#open.delete(name);
      remember("facets", JSON.stringify([...this.#open]));
      if (isNew) this.#load(name, this.#running.signal);
    });
    return section;
  }

  async #load(name, signal) {
    const section = this.#sections.get(name);
    section.isLoaded = true;
    try {
      // Without the filters on the field itself, so that another value can be chosen instead.
      const query = withoutField(this.#search.query, name);
      const result = await request(valuesPath(name), { ...this.#search, query, limit: MOST_VALUES }, signal);
      this.#fill(section, name, result);
    } catch (error) {
      if (error.name === "AbortError") return;
      section.list.replaceChildren();
      section.note.textContent = inOneLine(error);
    }
    section.list.classList.remove("is-stale");
  }

  #fill({ list, note }, name, { rows, complete }) {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.value : undefined;
    const most = Math.max(1, ...rows.map(({ count }) => count));
    // A filter stays in sight where it can be undone, however rare its value is.
    const isListed = (filter) => rows.some(({ value }) => filterOf(filter.text, name, value) !== 0);
    const pinned = filtersIn(this.#search.query).filter((filter) => filter.field === name && !isListed(filter));
    list.replaceChildren(
      ...pinned.map(({ value }) => this.#value(name, value, null, 0)),
      ...rows.map(({ value, count }) => this.#value(name, value, count, count / most)),
    );
    if (focused !== undefined) [...list.querySelectorAll("[data-value]")].find((one) => one.dataset.value === focused)?.focus();
    note.textContent = rows.length ? (complete ? "" : rows.length < MOST_VALUES ? "of the newest logs" : "and others") : "No values";
  }

  #value(name, value, count, share) {
    const filter = filterOf(this.#search.query, name, value);
    const bar = h("span", { class: "share" });
    bar.style.width = count === null ? "0" : `${Math.max(1, share * 100)}%`;
    const isFor = filter > 0;
    return h(
      "li",
      { class: `${name === "level" ? `level-${levelOf(value)} ` : ""}${filter < 0 ? "is-out" : ""}` },
      bar,
      h(
        "button",
        {
          type: "button",
          class: "value",
          "data-value": value,
          "aria-pressed": String(isFor),
          title: isFor ? `Any ${name} again` : `Only ${name} ${value}`,
          onclick: () => this.onFilter(name, value, { isOut: false, isOn: !isFor }),
        },
        h("span", { class: "text" }, value),
        h("span", { class: "count" }, count === null ? "" : count.toLocaleString("en")),
      ),
      iconButton("minus", filter < 0 ? `${name} ${value} again` : `Without ${name} ${value}`, () =>
        this.onFilter(name, value, { isOut: true, isOn: filter >= 0 }),
      ),
    );
  }
}

/** The fields that were open at the last visit. */
function opened() {
  try {
    const names = JSON.parse(recall("facets", ""));
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : FIRST;
  } catch {
    return FIRST;
  }
}
