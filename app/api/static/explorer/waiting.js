// While a search runs: what belongs to the search before is grey; soon there are the elapsed time and a way to cancel.

import { byId } from "./dom.js";

const SHOWN_AFTER_MS = 700;
const TICK_MS = 100;
/** What becomes grey, by what must arrive to end that. */
const PARTS = { logs: ["logs"], count: ["total", "legend", "histogram"], facets: ["facet-list"] };

/** `onCancel(seconds)` is called when the user gives up. */
export class Waiting {
  #beganMs = 0;
  #timer = 0;

  constructor({ onCancel }) {
    byId("cancel").addEventListener("click", () => onCancel(this.seconds));
  }

  get seconds() {
    return ((performance.now() - this.#beganMs) / 1000).toFixed(1);
  }

  begin() {
    this.#stop();
    this.#beganMs = performance.now();
    for (const part of Object.keys(PARTS)) setStale(part, true);
    byId("progress").hidden = false;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** A part is that of the new search: "logs", "count" or "facets". */
  arrived(part) {
    setStale(part, false);
  }

  end() {
    for (const part of Object.keys(PARTS)) setStale(part, false);
    byId("progress").hidden = true;
    this.#stop();
  }

  #tick() {
    if (performance.now() - this.#beganMs < SHOWN_AFTER_MS) return;
    byId("cancel").hidden = false;
    byId("elapsed").textContent = `Searching for ${this.seconds} s`;
    byId("elapsed").hidden = false;
    byId("took").hidden = true;
  }

  #stop() {
    clearInterval(this.#timer);
    const hadFocus = document.activeElement === byId("cancel");
    byId("cancel").hidden = byId("elapsed").hidden = true;
    byId("took").hidden = false;
    if (hadFocus) byId("query").focus();
  }
}

function setStale(part, isStale) {
  for (const id of PARTS[part]) byId(id).classList.toggle("is-stale", isStale);
}
