// Chooses the columns of the list.

import { h, joinPopover } from "./dom.js";
import { inOneLine } from "./errors.js";
import { isIdentity } from "./fields.js";

/** `columns()` returns the shown columns, `fields` knows all names, `onColumn(name)` adds or removes a column. */
export class ColumnPicker {
  #names = [];
  #typed = "";

  constructor({ button, popover, fields, columns, onColumn }) {
    Object.assign(this, { popover, fields, columns, onColumn });
    this.list = h("div", { class: "choices", role: "group", "aria-label": "Columns" });
    this.input = h("input", { type: "text", placeholder: "Find a field", "aria-label": "Find a field", autocomplete: "off" });
    this.input.addEventListener("input", () => {
      this.#typed = this.input.value.toLowerCase();
      this.#fill();
    });
    popover.append(this.input, this.list);
    joinPopover(button, popover, () => this.#open());
  }

  async #open() {
    this.#typed = this.input.value = "";
    this.#names = this.columns();
    this.#fill();
    try {
      const found = await this.fields.all();
      const names = found.map(({ name }) => name).filter((name) => name !== "timestamp");
      this.#names = [...new Set([...this.columns(), ...names.filter((name) => !isIdentity(name)), ...names.filter(isIdentity)])];
      this.#fill();
    } catch (error) {
      this.list.append(h("p", { class: "note is-error" }, inOneLine(error)));
    }
  }

  #fill() {
    const shown = this.#names.filter((name) => name.toLowerCase().includes(this.#typed));
    this.list.replaceChildren(
      ...shown.map((name) => {
        const box = h("input", { type: "checkbox", checked: this.columns().includes(name), onchange: () => this.onColumn(name) });
        return h("label", { class: "choice" }, box, name);
      }),
    );
  }
}
