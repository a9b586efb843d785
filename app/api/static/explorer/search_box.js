// The search box: suggests fields and values while a query is typed, and shows its errors.

import { request, valuesPath } from "./api.js";
import { debounced, h, wait } from "./dom.js";
import { quoted, term, wordAt } from "./query_text.js";

const MOST_SUGGESTED = 12;
const TYPING_MS = 120;
const RETRY_MS = 1000;
/** Errors of a service that is busy, or does not reach ClickHouse at the moment. */
const MAY_PASS = ["too_busy", "time_is_up", "try_again_later"];

/** `range()` is the time range of suggestions, `fields` knows the names, `onSearch(query)` is called with a query. */
export class SearchBox {
  #chosen = -1;
  #suggested = [];
  #field = null; // whose values they are; empty for names of fields
  #isTyping = false;
  #running = new AbortController();

  constructor({ form, input, list, problem, fields, range, onSearch }) {
    Object.assign(this, { form, input, list, problem, fields, range, onSearch });
    this.suggestLater = debounced(() => this.#suggest(), TYPING_MS);
    input.addEventListener("input", () => {
      // Suggestions of a field's name, which a slow page still shows, would be taken as a value of it.
      if (!this.list.hidden && this.#word().field !== this.#field) this.#close();
      this.#isTyping = true;
      this.#clearProblem();
      this.suggestLater();
    });
    input.addEventListener("focus", this.suggestLater);
    input.addEventListener("click", this.suggestLater);
    input.addEventListener("blur", () => this.#close());
    input.addEventListener("keydown", (event) => this.#press(event));
    // A press in the list must not take the focus from the box, which would close the list before the click.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#close();
      this.onSearch(this.text);
    });
  }

  /** The typed text, whether searched already or not. */
  get text() {
    return this.input.value.trim();
  }

  /** Shows a query that was set elsewhere. */
  show(query) {
    if (this.text !== query) this.input.value = query;
    this.#clearProblem();
  }

  /** Shows the error in a query, and its position. */
  showError(error, query) {
    const characters = [...query];
    const at = error.position;
    const where = Number.isInteger(at)
      ? h("code", { class: "where" }, characters.slice(0, at).join(""), h("mark", {}, characters[at] ?? " "), characters.slice(at + 1).join(""))
      : null;
    this.problem.replaceChildren(h("p", {}, error.message), ...(where ? [where] : []));
    this.problem.className = "problem is-error";
    this.problem.hidden = false;
    this.input.setAttribute("aria-invalid", "true");
  }

  /** Shows the hints on a query: `{ message, query }`, with the query, if there is one, as a button. */
  showHints(hints) {
    if (!hints?.length) return;
    this.problem.replaceChildren(...hints.map((hint) => this.#hint(hint)));
    this.problem.className = "problem is-hint";
    this.problem.hidden = false;
  }

  #hint({ message, query }) {
    const use = (wanted) => h("button", { type: "button", class: "button meant", onclick: () => this.onSearch(wanted) }, wanted);
    return h("p", {}, h("span", {}, message), query ? use(query) : null);
  }

  #clearProblem() {
    this.problem.hidden = true;
    this.problem.replaceChildren();
    this.input.removeAttribute("aria-invalid");
  }

  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const isOpen = !this.list.hidden;
    const isTaken = isOpen && (this.#chosen >= 0 || this.#isTyping);
    if (event.key === "ArrowDown" && !isOpen) this.#suggest();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Escape" && isOpen) this.#close();
    else if (event.key === "Escape") this.input.blur();
    else if (event.key === "Tab" && isTaken && !event.shiftKey) this.#take(Math.max(0, this.#chosen));
    else if (event.key === "Enter" && isOpen && this.#chosen >= 0) this.#take(this.#chosen);
    else if (event.key === "Enter") this.form.requestSubmit();
    else return;
    if (event.key !== "Escape" || isOpen) event.preventDefault();
    event.stopPropagation();
  }

  async #suggest() {
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    const field = this.#word().field;
    try {
      const found = await this.#found(signal);
      if (signal.aborted || document.activeElement !== this.input) return;
      this.#field = field;
      this.#open(found.slice(0, MOST_SUGGESTED));
    } catch (error) {
      // A failed search is reported; failed suggestions need not be.
      if (error.name !== "AbortError") this.#close();
    }
  }

  #word() {
    return wordAt(this.input.value, this.input.selectionStart ?? this.input.value.length);
  }

  /** What fits the word at the caret. Nobody types again because a busy service had no suggestions: it asks once more. */
  async #found(signal) {
    const word = this.#word();
    const load = () => (word.field ? this.#values(word, signal) : this.#names(word, signal));
    try {
      return await load();
    } catch (error) {
      if (!MAY_PASS.includes(error.code)) throw error;
      await wait(RETRY_MS, signal);
      return load();
    }
  }

  async #names(word, signal) {
    const typed = word.text.toLowerCase();
    if (!typed) return [];
    const fields = await this.fields.all(signal);
    return fields
      .filter(({ name }) => name.toLowerCase().includes(typed))
      .sort((one, other) => Number(other.name.toLowerCase().startsWith(typed)) - Number(one.name.toLowerCase().startsWith(typed)))
      .map(({ name, count }) => ({ label: `${name}:`, text: term(name, "x").slice(0, -1), count, continues: true }));
  }

  async #values(word, signal) {
    if (/^[<>[{*]/.test(word.text)) return [];
    const prefix = word.text.replace(/\\(.)/g, "$1");
    const { rows } = await request(valuesPath(word.field), { ...this.range(), prefix, limit: MOST_SUGGESTED, timeout_ms: 2000 }, signal);
    return rows.map(({ value, count }) => ({ label: value, text: valueText(word.field, value), count, continues: false }));
  }

  #open(suggested) {
    if (!suggested.length) return this.#close();
    const chosen = this.#suggested[this.#chosen]?.label;
    this.#suggested = suggested;
    this.#chosen = -1;
    this.list.replaceChildren(
      ...suggested.map(({ label, count }, n) =>
        h(
          "li",
          { id: `suggestion-${n}`, role: "option", "aria-selected": "false", onclick: () => this.#take(n) },
          h("span", { class: "label" }, label),
          h("span", { class: "count" }, count.toLocaleString("en")),
        ),
      ),
    );
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
    // A suggestion chosen while later ones were loading stays chosen.
    const again = suggested.findIndex(({ label }) => label === chosen);
    if (again >= 0) this.#choose(again);
  }

  #close() {
    this.suggestLater.cancel();
    this.#running.abort();
    this.list.hidden = true;
    this.#chosen = -1;
    this.#isTyping = false;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #move(by) {
    const count = this.#suggested.length;
    this.#choose((this.#chosen + by + (this.#chosen < 0 && by < 0 ? 1 : 0) + count) % count);
  }

  #choose(n) {
    this.#chosen = n;
    [...this.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === n)));
    this.list.children[n].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", `suggestion-${n}`);
  }

  #take(n) {
    const { text, continues } = this.#suggested[n];
    const word = wordAt(this.input.value, this.input.selectionStart); // it may have grown since
    const before = this.input.value.slice(0, word.start) + text + (continues ? "" : " ");
    const after = this.input.value.slice(word.end).replace(/^ /, continues ? " " : "");
    this.input.value = before + after;
    this.input.setSelectionRange(before.length, before.length);
    this.#close();
    if (continues) this.#suggest();
  }
}

function valueText(field, value) {
  return field === "message" ? quoted(value) : term("x", value).slice(2);
}
