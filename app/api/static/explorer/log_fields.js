// The tab Fields of a log: its message, ways to copy it, and all of its fields.

import { copy } from "./clipboard.js";
import { h, iconButton } from "./dom.js";
import { fieldsOf, keyOf, queryFor } from "./fields.js";
import { marked } from "./highlight.js";
import { causeOf, isJson, isLines, longText, prettyJson } from "./message_text.js";
import { recall, remember } from "./remembered.js";

const MANY = 15; // fields; more can be searched
const COPIED_MS = 1200;

/**
 * `columns()` returns the shown columns, `isField(name)` knows fields, `marks()` those of the search, `link(row)` an address;
 * `onFilter(name, value, isOut)`, `onColumn(name)` and `onAnnounce(text)` are called on the user's actions.
 */
export class LogFields {
  #typed = "";

  constructor({ columns, isField, marks, link, onFilter, onColumn, onAnnounce }) {
    Object.assign(this, { columns, isField, marks, link, onFilter, onColumn, onAnnounce });
  }

  /** The elements for a log. */
  elements(row) {
    const message = h("div", { class: "message" });
    const cause = causeOf(row.message);
    const fields = fieldsOf(row, this.isField);
    const body = h("tbody", {}, ...fields.map((field) => this.#field(field)));
    return [
      cause ? h("p", { class: "cause" }, ...marked(cause, this.marks().of("message"))) : null,
      message,
      row.parse_error ? h("p", { class: "note is-error" }, `Parsed only in part: ${row.parse_error}`) : null,
      h("div", { class: "copies" }, ...this.#views(row.message, message), ...this.#copies(row), this.#find(row.message)),
      fields.length > MANY ? this.#search(body) : null,
      h("table", { class: "fields" }, h("caption", {}, "Fields"), body),
    ].filter(Boolean);
  }

  /** Fills the box of the message; returns the buttons that show it in another way. */
  #views(text, box) {
    const pattern = this.marks().of("message");
    const view = { isPretty: false, isWrapped: recall("wrap", "") === "yes" };
    const hasLines = isLines(text);
    const show = () => {
      const shown = view.isPretty ? prettyJson(text) : text;
      box.replaceChildren(longText(shown, { label: "Message", pattern, isWrapped: view.isWrapped || !isLines(shown) }));
    };
    show();
    return [
      isJson(text) ? toggle("Pretty JSON", false, (isOn) => ((view.isPretty = isOn), show())) : null,
      hasLines ? toggle("Wrap lines", view.isWrapped, (isOn) => (remember("wrap", isOn ? "yes" : ""), (view.isWrapped = isOn), show())) : null,
    ];
  }

  #copies(row) {
    return [
      this.#copyButton("Copy as JSON", () => JSON.stringify(row, null, 2)),
      this.#copyButton("Copy as query", () => queryFor(row)),
      this.#copyButton("Copy link", () => this.link(row)),
    ];
  }

  #find(message) {
    const key = keyOf(message);
    if (!key) return null;
    const [label, title] = key === message ? ["Find this message", null] : ["Find this message", `Logs with: ${key}`];
    return h("button", { type: "button", class: "button", title, onclick: () => this.onFilter("message", key, false) }, label);
  }

  #search(body) {
    const show = () => {
      const typed = this.#typed.toLowerCase();
      for (const line of body.children) line.hidden = !line.dataset.text.includes(typed);
    };
    const oninput = (event) => {
      this.#typed = event.currentTarget.value;
      show();
    };
    const input = h("input", { type: "search", class: "find", placeholder: "Find a field or value", "aria-label": "Find a field or value", oninput });
    input.value = this.#typed; // kept while going from log to log
    show();
    return input;
  }

  #field({ name, value, text, canFilter: isFilter }) {
    const isColumn = this.columns().includes(name);
    const line = h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      this.#value(name, text),
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
    line.dataset.text = `${name}\n${text}`.toLowerCase();
    return line;
  }

  #value(name, text) {
    const pattern = this.marks().of(name);
    const cell = h("td", { class: "value" });
    const show = (shown) => cell.firstChild.replaceChildren(...(isLines(shown) ? [longText(shown, { label: name, pattern })] : h("span", {}, ...marked(shown, pattern)).childNodes));
    cell.append(h("div", {}));
    show(text);
    if (isJson(text)) cell.append(toggle(`Pretty JSON`, false, (isOn) => show(isOn ? prettyJson(text) : text), `Pretty JSON of ${name}`));
    return cell;
  }

  #copyButton(label, text) {
    return h("button", { type: "button", class: "button", onclick: (event) => this.#copy(event.currentTarget, text()) }, label);
  }

  async #copy(button, text) {
    const isDone = await copy(text);
    button.classList.add(isDone ? "is-done" : "is-failed");
    this.onAnnounce(isDone ? "Copied" : "The browser does not let this page copy");
    setTimeout(() => button.classList.remove("is-done", "is-failed"), COPIED_MS);
  }
}

function toggle(text, isPressed, onSwitch, label = text) {
  const onclick = ({ currentTarget: button }) => {
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isOn));
    onSwitch(isOn);
  };
  return h("button", { type: "button", class: "button", "aria-label": label, "aria-pressed": String(isPressed), onclick }, text);
}
