// The logs of a search, page by page.

import { request } from "./api.js";

const FIRST_ROWS = 100; // few, to show them soon
const MORE_ROWS = 500;

/** One search. Logs stored meanwhile do not shift pages: the cursor holds the range of the first page. */
export class Pages {
  #cursor = "";
  #hasMore = true;

  /** `search` holds `query`, `start`, `end` and `fields`. */
  constructor(search) {
    this.search = search;
    this.hints = [];
    this.statistics = null;
  }

  get hasMore() {
    return this.#hasMore;
  }

  /** The rows of the next page; fewer than usual, or none, if the query timed out. */
  async next(signal) {
    const limit = this.#cursor ? MORE_ROWS : FIRST_ROWS;
    const page = await request("/logs", { ...this.search, limit, cursor: this.#cursor }, signal);
    this.#cursor = page.next_cursor ?? "";
    this.#hasMore = Boolean(page.next_cursor);
    this.hints = page.hints ?? [];
    this.statistics = page.statistics;
    return page.rows;
  }

  /** Stops loading. */
  stop() {
    this.#hasMore = false;
  }
}
