// The buttons around the live tail: on and off, hold and go on. It holds by itself while somebody looks further down.

import { byId } from "./dom.js";
import { fieldsFor } from "./fields.js";
import { Tail } from "./tail.js";

const COUNT_EVERY_MS = 10_000;

/** `onRows(rows)` gets what is stored, newest first; `onCount()` is called from time to time meanwhile. */
export class Following {
  #isPaused = false;

  constructor({ state, list, onRows, onCount }) {
    Object.assign(this, { state, list });
    this.tail = new Tail({
      onRows,
      onWaiting: (count) => this.#showWaiting(count),
      onTrouble: (text) => this.#showTrouble(text),
      onEnd: (error) => {
        state.change({ live: false }, { isStep: false });
        // A mistake in the query is shown where the query is.
        if (error.code !== "bad_query") this.#showTrouble(error.message);
      },
    });
    byId("live").addEventListener("click", () => this.toggle());
    byId("pause").addEventListener("click", () => this.togglePause());
    byId("waiting").addEventListener("click", () => {
      byId("logs").scrollTop = 0;
      this.#setPaused(false);
    });
    setInterval(() => {
      if (state.now.live && !document.hidden) onCount();
    }, COUNT_EVERY_MS);
  }

  /** Follows what matches, if that is wanted; resolves when nothing that is stored from then on is missed. */
  async begin() {
    const { live, query, columns } = this.state.now;
    this.#setPaused(false);
    this.#showTrouble("");
    if (live) await this.tail.begin(query, fieldsFor(columns));
    else this.end();
  }

  end() {
    this.tail.end();
    this.#showWaiting(0);
  }

  toggle() {
    const { live, end, start } = this.state.now;
    const isUntilNow = end === "now" && start.startsWith("now");
    this.state.change(live ? { live: false } : { live: true, end: "now", start: isUntilNow ? start : "now-15m" });
  }

  togglePause() {
    if (this.state.now.live) this.#setPaused(!this.#isPaused);
  }

  /** Holds back what comes unless the top of the list is in sight. */
  look() {
    if (this.state.now.live) this.tail.hold(this.#isPaused || !this.list.isAtTop);
  }

  #setPaused(isPaused) {
    this.#isPaused = isPaused;
    byId("pause").textContent = isPaused ? "Go on" : "Hold";
    byId("pause").setAttribute("aria-pressed", String(isPaused));
    this.look();
  }

  #showWaiting(count) {
    byId("waiting").hidden = !count;
    byId("waiting").textContent = `Show ${count.toLocaleString("en")} new`;
  }

  #showTrouble(text) {
    byId("trouble").hidden = !text;
    byId("trouble").textContent = text;
  }
}
