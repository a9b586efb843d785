// The buttons of the live tail: on and off, pause and resume. It pauses by itself while the user has scrolled down.

import { byId } from "./dom.js";
import { explained, inOneLine } from "./errors.js";
import { fieldsFor } from "./fields.js";
import { Tail } from "./tail.js";

const COUNT_EVERY_MS = 10_000;

/**
 * `onRows(rows)` gets new logs, newest first; `onCount()` is called from time to time meanwhile, unless rows are held back;
 * `onRecovered()` after an interruption.
 */
export class Following {
  #isPaused = false;
  #isInterrupted = false;
  #wasHeld = false;

  constructor({ state, list, go, onRows, onCount, onRecovered }) {
    Object.assign(this, { state, list, go, onCount, onRecovered });
    this.tail = new Tail({
      onRows,
      onWaiting: (count) => this.#showWaiting(count),
      onTrouble: (error) => this.#interrupt(error),
      onEnd: (error) => {
        state.change({ live: false }, { isStep: false });
        // An error in the query is shown beside the query.
        if (error.code !== "bad_query") this.#showTrouble(`Not following: ${inOneLine(error)} ${error.message}`);
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
      // Held back, the list stands still, and the chart above it as well.
      if (state.now.live && !document.hidden && !this.isHeld) onCount();
    }, COUNT_EVERY_MS);
  }

  /** Whether new rows are held back: on request, or since the user reads further down. */
  get isHeld() {
    return this.#isPaused || !this.list.isAtTop;
  }

  /** Starts the tail if it is switched on; resolves when no log stored from then on can be missed. */
  async begin() {
    const { live, query, columns } = this.state.now;
    this.#end(); // rows held back belong to the previous search
    if (live) await this.tail.begin(query, fieldsFor(columns));
  }

  /** Stops the tail, and shows the rows held back. */
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
    if (this.#isPaused) byId("logs").scrollTop = 0; // scrolled down, they would be held back anyway
    this.#setPaused(!this.#isPaused);
  }

  /** Holds back new rows unless the top of the list is visible. */
  update() {
    if (!this.state.now.live) return;
    const wasHeld = this.#wasHeld;
    this.#wasHeld = this.isHeld;
    this.tail.hold(this.isHeld);
    if (wasHeld && !this.isHeld) this.onCount();
    this.#showDoing();
  }

  /** Says what happens to new logs. */
  #showDoing() {
    const isDown = !this.#isPaused && !this.list.isAtTop;
    const held = isDown ? "New logs are held back while you read further down" : "New logs are held back";
    byId("doing").textContent = this.#isInterrupted ? "Interrupted" : this.isHeld ? held : "Following new logs";
    byId("live-bar").classList.toggle("is-held", this.isHeld || this.#isInterrupted);
  }

  #interrupt(error) {
    const wasInterrupted = this.#isInterrupted;
    this.#isInterrupted = error !== null;
    if (error) {
      const { title, details } = explained(error);
      const next = error.retrySecs ? `Trying again in ${error.retrySecs} s` : "Trying again by itself";
      this.#showTrouble(`${title}. ${details ? `${details} ` : ""}${next} …`);
    } else this.#showTrouble("");
    this.#showDoing();
    if (wasInterrupted && !error) this.onRecovered();
  }

  #end() {
    this.tail.end();
    this.#isInterrupted = false;
    this.#wasHeld = false;
    this.#setPaused(false);
    this.#showWaiting(0);
    this.#showTrouble("");
  }

  #setPaused(isPaused) {
    this.#isPaused = isPaused;
    byId("pause").textContent = isPaused ? "Resume" : "Hold";
    byId("pause").setAttribute("aria-pressed", String(isPaused));
    this.update();
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
