// Chooses the time range: quick ranges, a start and an end, and steps back and forth.

import { h, joinPopover } from "./dom.js";
import { QUICK_RANGES, between, forInput, fromInput, moment, rangeText, zone } from "./time.js";

/** `onRange({ start, end })` is called on a choice, `onZone()` to show times in the other zone. */
export class TimePicker {
  #range = { start: "now-1h", end: "now" };

  constructor({ button, label, popover, onRange, onZone }) {
    Object.assign(this, { button, label, popover, onRange, onZone });
    joinPopover(button, popover, () => this.#fill());
  }

  /** Shows the current range. */
  show({ start, end }) {
    this.#range = { start, end };
    this.label.textContent = rangeText(start, end);
  }

  /** Moves the range by multiples of its length: -1 is the range before it. */
  step(by) {
    const [from, to] = this.#moments();
    this.onRange(between(from + by * (to - from), to + by * (to - from)));
  }

  /** Doubles the range around its middle, but not beyond now. */
  widen() {
    const [from, to] = this.#moments();
    const half = (to - from) / 2;
    const end = Math.min(to + half, Math.max(to, Date.now()));
    this.onRange(between(end - 4 * half, end));
  }

  #moments() {
    const nowMs = Date.now();
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
