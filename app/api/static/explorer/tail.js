// Live tail: follows logs as they are stored. Events are batched for a moment, so that many a second cost little.

import { ApiError, refusal, url } from "./api.js";

const SHOW_EVERY_MS = 100;
const PATIENCE_MS = 3000; // then the search continues without the tail
const RETRY_SECS = [1, 2, 5, 10, 30];
/** Refusals that pass: the tail is requested again. */
const MAY_PASS = ["try_again_later", "time_is_up", "unreachable", "refused", "unexpected", "internal_server_error"];
/** The maximum number of tailed logs to keep, shown or held back. */
export const MOST_KEPT = 10_000;

/**
 * `onRows(rows)` gets new logs, newest first; `onWaiting(count)` the number held back; `onTrouble(error)` why the tail is
 * interrupted and in how many seconds it is tried again (`error.retrySecs`), null when it has recovered; `onEnd(error)` is
 * called when it has ended.
 */
export class Tail {
  #source = null;
  #waiting = [];
  #lost = 0;
  #timer = 0;
  #isHeld = false;
  #begun = () => {}; // resolves the promise of begin()
  #followed = null; // what is followed: the parameters of the tail
  #failures = 0; // refusals since it was last connected
  #retry = 0;

  constructor(listeners) {
    Object.assign(this, listeners);
  }

  /** Follows matching logs from now on. Resolves once it has begun, so that a later search leaves no gap. */
  begin(query, fields) {
    this.end();
    this.#followed = { query, fields, last_id: undefined };
    this.#timer = setInterval(() => this.#show(), SHOW_EVERY_MS);
    this.#connect();
    return new Promise((resolve) => (this.#begun = resolve));
  }

  #connect() {
    const address = url("/logs/tail", this.#followed);
    const source = new EventSource(address);
    this.#source = source;
    source.addEventListener("message", (event) => {
      this.#followed.last_id = event.lastEventId || undefined;
      this.#take(JSON.parse(event.data));
    });
    source.addEventListener("trouble", (event) => this.onTrouble(new ApiError({ code: "try_again_later", message: JSON.parse(event.data).message })));
    source.addEventListener("ready", (event) => {
      this.#followed.last_id = event.lastEventId || undefined;
      this.#failures = 0;
      this.#begun();
      this.onTrouble(null);
    });
    source.addEventListener("error", () => {
      this.#begun();
      if (this.#source !== source) return;
      if (source.readyState === EventSource.CLOSED) this.#explain(source, address);
      else this.onTrouble(new ApiError({ code: "unreachable", message: "" }));
    });
    setTimeout(() => this.#source === source && this.#begun(), PATIENCE_MS);
  }

  end() {
    this.#begun();
    this.#source?.close();
    this.#source = null;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#failures = 0;
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
  async #explain(source, address) {
    const error = await reason(address);
    if (this.#source !== source) return; // a new tail has begun meanwhile, or none is wanted any more
    if (MAY_PASS.includes(error.code)) return this.#connectLater(error);
    this.end();
    this.onEnd(error);
  }

  #connectLater(error) {
    const secs = RETRY_SECS[Math.min(this.#failures, RETRY_SECS.length - 1)];
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), secs * 1000);
    this.onTrouble(Object.assign(error, { retrySecs: secs }));
  }
}

async function reason(address) {
  try {
    const response = await fetch(address);
    if (!response.ok) return refusal(response, await response.json());
    await response.body.cancel();
    return new ApiError({ code: "refused", message: "The tail was refused for a moment." });
  } catch {
    return new ApiError({ code: "unreachable", message: "" });
  }
}
