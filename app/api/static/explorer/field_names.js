// The fields that the logs have, refreshed from time to time.

import { request } from "./api.js";

const FRESH_MS = 60_000;

/** Attributes with a shorter name in the query language are offered under that name. */
function shortest({ name, count }) {
  return { name: name === "resource.host.name" ? "host" : name, count };
}

/** `range()` returns the time range shown; `onPrefixes` is called when other attributes than before need a prefix. */
export class FieldNames {
  #cached = { key: "", atMs: 0, fields: null };

  constructor(range, onPrefixes) {
    this.range = range;
    this.onPrefixes = onPrefixes;
  }

  /** Whether logs are known to have a field that must be queried by this name. */
  has(name) {
    return this.#cached.fields?.some((field) => field.name === name) ?? false;
  }

  /** All fields as `{ name, count }`, the most frequent first. */
  async all(signal) {
    const range = this.range();
    const key = JSON.stringify(range);
    if (this.#cached.key !== key || Date.now() - this.#cached.atMs > FRESH_MS) {
      const result = await request("/fields", { ...range, limit: 1000, timeout_ms: 3000 }, signal);
      const before = this.#prefixed();
      this.#cached = { key, atMs: Date.now(), fields: result.rows.map(shortest) };
      if (this.#prefixed() !== before) this.onPrefixes();
    }
    return this.#cached.fields;
  }

  #prefixed() {
    const names = (this.#cached.fields ?? []).map(({ name }) => name).filter((name) => name.startsWith("attributes."));
    return JSON.stringify(names.sort());
  }
}
