// The buttons around the live tail: on and off, hold and go on. It holds by itself while somebody looks further down.

import { byId } from "./dom.js";
import { fieldsFor } from "./fields.js";
import { Tail } from "./tail.js";

const COUNT_EVERY_MS = 10_000;

/** `onRows(rows)` gets what is stored, newest first; `onCount()` is called from time to time meanwhile. */
export class Following {
  #isPaused = false;

  constructor({ state, list, go, onRows, onCount }) {
    Object.assign(this, { state, list, go });
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
      list.focus();
    });
    setInterval(() => {
      if (state.now.live && !document.hidden) onCount();
    }, COUNT_EVERY_MS);
  }

  /** Follows what matches, if that is wanted; resolves when nothing that is stored from then on is missed. */
  async begin() {
    const { live, query, columns } = this.state.now;
    this.#end(); // what waits there belongs to the search before
    if (live) await this.tail.begin(query, fieldsFor(columns));
  }

  /** Follows no longer; what was held back is shown. */
  stop() {
    this.tail.hold(false);
    this.#end();
  }

  toggle() {
    const { live, end, start } = this.state.now;
    const isUntilNow = end === "now" && start.startsWith("now");
    if (live) this.state.change({ live: false });
    else this.go({ live: true, end: "now", start: isUntilNow ? start : "now-15m" });
  }

  togglePause() {
    if (!this.state.now.live) return;
    if (this.#isPaused) byId("logs").scrollTop = 0; // further down they would be held back all the same
    this.#setPaused(!this.#isPaused);
  }

  /** Holds back what comes unless the top of the list is in sight. */
  look() {
    if (this.state.now.live) this.tail.hold(this.#isPaused || !this.list.isAtTop);
  }

  #end() {
    this.tail.end();
    this.#setPaused(false);
    this.#showWaiting(0);
    this.#showTrouble("");
  }

  #setPaused(isPaused) {
    this.#isPaused = isPaused;
    byId("pause").textContent = isPaused ? "Resume" : "Hold";
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
