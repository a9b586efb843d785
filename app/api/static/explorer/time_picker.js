// Chooses the time range: quick ranges, a start and an end, and steps back and forth.

import { serviceClock } from "./clock.js";
import { h, joinPopover } from "./dom.js";
import { QUICK_RANGES, between, forInput, fromInput, moment, rangeText, zone } from "./time.js";

const LATER_EVERY_MS = 5000; // how often it is checked whether there is something later
const NOTHING_LATER_MS = 1000;

/** `onRange({ start, end })` is called on a choice, `onZone()` to show times in the other zone. */
export class TimePicker {
  #range = { start: "now-1h", end: "now" };

  constructor({ button, label, later, popover, onRange, onZone }) {
    Object.assign(this, { button, label, later, popover, onRange, onZone });
    joinPopover(button, popover, () => this.#fill());
    setInterval(() => this.#updateLater(), LATER_EVERY_MS);
  }

  /** Shows the current range. */
  show({ start, end }) {
    this.#range = { start, end };
    this.label.textContent = rangeText(start, end);
    this.button.title = `Choose the time (t). Times are shown in ${zone.name}`;
    this.#updateLater();
  }

  /** Moves the range by multiples of its length, but not beyond now: -1 is the range before it. */
  step(by) {
    const [from, to] = this.#moments();
    const end = Math.min(to + by * (to - from), Math.max(to, serviceClock.nowMs()));
    this.onRange(between(end - (to - from), end));
  }

  #updateLater() {
    const isNow = this.#range.end === "now" || this.#moments()[1] > serviceClock.nowMs() - NOTHING_LATER_MS;
    if (isNow && document.activeElement === this.later) this.button.focus(); // a disabled button loses the focus
    this.later.disabled = isNow;
  }

  /** Doubles the range around its middle, but not beyond now. */
  widen() {
    const [from, to] = this.#moments();
    const half = (to - from) / 2;
    const end = Math.min(to + half, Math.max(to, serviceClock.nowMs()));
    this.onRange(between(end - 4 * half, end));
  }

  #moments() {
    const nowMs = serviceClock.nowMs();
    const [from, to] = [moment(this.#range.start, nowMs), moment(this.#range.end, nowMs)];
    return Number.isNaN(from) || Number.isNaN(to) ? [nowMs - 3_600_000, nowMs] : [from, to];
  }

  #fill() {
    this.popover.replaceChildren(this.#quick(), this.#exact(), this.#zones());
  }

  #quick() {
    const { start, end } = this.#range;
    const buttons = QUICK_RANGES.map(([from, name]) => {
      const isNow = end === "now" && start === from;
      return h("button", { type: "button", class: "choice", "aria-pressed": String(isNow), onclick: () => this.#choose({ start: from, end: "now" }) }, name);
    });
    return h("div", { class: "choices", role: "group", "aria-label": "Quick ranges" }, ...buttons);
  }

  #exact() {
    const [from, to] = this.#moments();
    const start = h("input", { type: "datetime-local", step: "1", required: true, name: "from", value: forInput(from) });
    const end = h("input", { type: "datetime-local", step: "1", required: true, name: "to", value: forInput(to) });
    const problem = h("p", { class: "is-error", role: "alert", hidden: true }, "The start must be before the end.");
    const onsubmit = (event) => {
      event.preventDefault();
      const [startMs, endMs] = [fromInput(start.value), fromInput(end.value)];
      problem.hidden = startMs < endMs;
      if (startMs < endMs) this.#choose(between(startMs, endMs));
    };
    return h(
      "form",
      { class: "exact", onsubmit },
      h("label", {}, "From", start),
      h("label", {}, "To", end),
      problem,
      h("button", { class: "button primary" }, "Apply"),
    );
  }

  #zones() {
    const choice = (isUtc, name) =>
      h("label", {}, h("input", { type: "radio", name: "zone", checked: zone.isUtc === isUtc, onchange: () => this.#show(isUtc) }), name);
    return h("fieldset", { class: "zones" }, h("legend", {}, "Times are shown in"), choice(false, zone.local), choice(true, "UTC"));
  }

  #show(isUtc) {
    zone.show(isUtc);
    this.show(this.#range);
    this.#fill();
    this.popover.querySelector(".zones input:checked").focus();
    this.onZone();
  }

  #choose(range) {
    this.popover.hidePopover();
    this.onRange(range);
  }
}
