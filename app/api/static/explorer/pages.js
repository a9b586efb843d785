// The logs that a search finds, page by page.

import { ask } from "./api.js";

const FIRST_ROWS = 100; // soon there
const MORE_ROWS = 500;

/** One search. What is stored meanwhile moves nothing: the service's cursor remembers the range of the first page. */
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

  /** The rows of the next page; fewer than usual, or none, where the time was up before there were more. */
  async next(signal) {
    const limit = this.#cursor ? MORE_ROWS : FIRST_ROWS;
    const answer = await ask("/logs", { ...this.asked, limit, cursor: this.#cursor }, signal);
    this.#cursor = answer.next_cursor ?? "";
    this.#hasMore = Boolean(answer.next_cursor);
    this.hints = answer.hints ?? [];
    this.statistics = answer.statistics;
    return answer.rows;
  }

  /** Asks no further. */
  stop() {
    this.#hasMore = false;
  }
}
