// Which fields the logs have, asked for once in a while.

import { ask } from "./api.js";

const FRESH_MS = 60_000;

/** What the language knows by a shorter name is offered under that. */
function shortest({ name, count }) {
  return { name: name === "resource.host.name" ? "host" : name, count };
}

/** `range()` is the time that is looked at. */
export class FieldNames {
  #asked = { key: "", atMs: 0, answer: null };

  constructor(range) {
    this.range = range;
  }

  /** Whether logs have a field that has to be asked for by this name, as far as was asked. */
  has(name) {
    return this.#asked.answer?.some((field) => field.name === name) ?? false;
  }

  /** `{ name, count }` of each, the most frequent first. */
  async all(signal) {
    const range = this.range();
    const key = JSON.stringify(range);
    if (this.#asked.key !== key || Date.now() - this.#asked.atMs > FRESH_MS) {
      const answer = await ask("/fields", { ...range, limit: 1000, timeout_ms: 3000 }, signal);
      this.#asked = { key, atMs: Date.now(), answer: answer.rows.map(shortest) };
    }
    return this.#asked.answer;
  }
}
