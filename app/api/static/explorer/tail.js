// Live tail: follows logs as they are stored. Events are batched for a moment, so that many a second cost little.

import { ApiError, url } from "./api.js";

const SHOW_EVERY_MS = 100;
const PATIENCE_MS = 3000; // then the search continues without the tail
/** The maximum number of tailed logs to keep, shown or held back. */
export const MOST_KEPT = 10_000;

/**
 * `onRows(rows)` gets new logs, newest first; `onWaiting(count)` the number held back; `onTrouble(text)` why the tail is
 * interrupted, "" when it has recovered; `onEnd(error)` is called when it has ended.
 */
export class Tail {
  #source = null;
  #waiting = [];
  #lost = 0;
  #timer = 0;
  #isHeld = false;
  #begun = () => {}; // resolves the promise of begin()

  constructor(listeners) {
    Object.assign(this, listeners);
  }

  /** Follows matching logs from now on. Resolves once it has begun, so that a later search leaves no gap. */
  begin(query, fields) {
    this.end();
    const address = url("/logs/tail", { query, fields });
    const source = new EventSource(address);
    this.#source = source;
    this.#timer = setInterval(() => this.#show(), SHOW_EVERY_MS);
    source.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    source.addEventListener("trouble", (event) => this.onTrouble(JSON.parse(event.data).message));
    source.addEventListener("ready", () => {
      this.#begun();
      this.onTrouble("");
    });
    source.addEventListener("error", () => {
      this.#begun();
      if (this.#source !== source) return;
      if (source.readyState === EventSource.CLOSED) this.#explain(address);
      else this.onTrouble("The connection is lost; trying again …");
    });
    setTimeout(() => this.#source === source && this.#begun(), PATIENCE_MS);
    return new Promise((resolve) => (this.#begun = resolve));
  }

  end() {
    this.#begun();
    this.#source?.close();
    this.#source = null;
    clearInterval(this.#timer);
    this.#waiting = [];
    this.#lost = 0;
    this.#isHeld = false;
  }

  /** Holds back new rows, or shows those held back. */
  hold(isHeld) {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    if (!isHeld) this.#show();
    else this.onWaiting(this.#waiting.length);
  }

  #take(row) {
    this.#waiting.push(row);
    if (this.#waiting.length > 2 * MOST_KEPT) {
      this.#lost += this.#waiting.length - MOST_KEPT;
      this.#waiting = this.#waiting.slice(-MOST_KEPT);
    }
  }

  #show() {
    if (this.#isHeld) return this.onWaiting(this.#waiting.length + this.#lost);
    if (!this.#waiting.length) return;
    const rows = this.#waiting.reverse();
    this.#waiting = [];
    this.#lost = 0;
    this.onRows(rows);
    this.onWaiting(0);
  }

  /** An EventSource does not report why it was refused; an ordinary request does. */
  async #explain(address) {
    this.end();
    const error = await reason(address);
    if (!this.#source) this.onEnd(error); // unless a new tail has begun meanwhile
  }
}

async function reason(address) {
  try {
    const response = await fetch(address);
    if (!response.ok) return new ApiError((await response.json()).error);
    await response.body.cancel();
    return new ApiError({ code: "refused", message: "The tail was refused for a moment." });
  } catch {
    return new ApiError({ code: "unreachable", message: "The service does not answer. Is it running?" });
  }
}
