// The logs of a search, page by page.

import { ask } from "./api.js";

const FIRST_ROWS = 100; // soon there
const MORE_ROWS = 500;

/** One search. Logs stored meanwhile do not shift pages: the cursor holds the range of the first page. */
export class Pages {
  #cursor = "";
  #hasMore = true;

  /** `asked` holds `query`, `start`, `end` and `fields`. */
  constructor(asked) {
    this.asked = asked;
    this.hints = [];
    this.statistics = null;
  }

  get hasMore() {
    return this.#hasMore;
  }

  /** The rows of the next page; fewer than usual, or none, if the query timed out. */
  async next(signal) {
    const limit = this.#cursor ? MORE_ROWS : FIRST_ROWS;
    const answer = await ask("/logs", { ...this.asked, limit, cursor: this.#cursor }, signal);
    this.#cursor = answer.next_cursor ?? "";
    this.#hasMore = Boolean(answer.next_cursor);
    this.hints = answer.hints ?? [];
    this.statistics = answer.statistics;
    return answer.rows;
  }

  /** Stops loading. */
  stop() {
    this.#hasMore = false;
  }
}
