// The fields that the logs have, refreshed from time to time.

import { ask } from "./api.js";

const FRESH_MS = 60_000;

/** Attributes with a shorter name in the query language are offered under that name. */
function shortest({ name, count }) {
  return { name: name === "resource.host.name" ? "host" : name, count };
}

/** `range()` returns the time range shown. */
export class FieldNames {
  #asked = { key: "", atMs: 0, answer: null };

  constructor(range) {
    this.range = range;
  }

  /** Whether logs have a field that must be queried by this name, as far as is known. */
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
