// Counts of logs over time, one bar per interval, split by level. Dragging over it zooms in.

import { scaleOf, shortCount, tickStep } from "./chart_scale.js";
import { h, svg } from "./dom.js";
import { LEVEL_ORDER, levelOf } from "./fields.js";
import { axisTime, between, momentText, zone } from "./time.js";

const HEIGHT = 96;
const AXIS = 18;
const ABOVE = 14; // pixels above the scale, for its label and for bars that are cut off
const SCALE = HEIGHT - AXIS - ABOVE;
const CUT_LABEL = 60; // pixels that a label of a cut bar needs
const CLICK_PIXELS = 4;
const LABEL_PIXELS = 110;

/** `onZoom({ start, end })` is called with the chosen part of the range, `onLevel(level, isOut)` with a level filter. */
export class Histogram {
  #bars = [];
  #range = null; // { startMs, endMs, stepMs }
  #drag = null; // { from, to } in pixels
  #active = -1;

  constructor({ box, legend, tip, onZoom, onLevel }) {
    Object.assign(this, { box, legend, tip, onZoom, onLevel });
    this.drawing = svg("svg", { class: "bars", height: HEIGHT, role: "img" });
    this.box.append(this.drawing);
    new ResizeObserver(() => this.#draw()).observe(box);
    box.addEventListener("pointerdown", (event) => this.#press(event));
    box.addEventListener("pointermove", (event) => this.#point(event));
    box.addEventListener("pointerup", () => this.#release());
    box.addEventListener("pointercancel", () => this.#stop());
    box.addEventListener("pointerleave", () => this.#hideTip());
    box.addEventListener("blur", () => this.#stop());
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows a response of the API; returns the number of logs. */
  show(result) {
    const stepMs = result.interval_secs * 1000;
    this.#range = { startMs: Date.parse(result.start), endMs: Date.parse(result.end), stepMs };
    const bars = new Map();
    for (const { time, level, count } of result.rows) {
      const atMs = Date.parse(time);
      if (!bars.has(atMs)) bars.set(atMs, { atMs, total: 0, counts: new Map() });
      const bar = bars.get(atMs);
      bar.total += count;
      bar.counts.set(level, (bar.counts.get(level) ?? 0) + count);
    }
    const activeMs = this.#bars[this.#active]?.atMs;
    this.#bars = [...bars.values()].sort((one, other) => one.atMs - other.atMs);
    // A refresh does not interrupt a user who points at a bar or drags.
    this.#active = this.#bars.findIndex(({ atMs }) => atMs === activeMs);
    if (this.#active < 0 && !this.#drag) this.tip.hidden = true;
    this.#showLegend();
    this.#draw();
    return this.#bars.reduce((sum, bar) => sum + bar.total, 0);
  }

  /** Shows an empty histogram. */
  clear() {
    this.#bars = [];
    this.#range = null;
    this.legend.replaceChildren();
    this.#stop();
    this.#draw();
  }

  /** Draws again, since the time zone has changed. */
  refresh() {
    this.#draw();
  }

  #draw() {
    const width = this.box.clientWidth;
    this.drawing.setAttribute("width", width);
    this.drawing.setAttribute("aria-label", this.#summary());
    if (!this.#range || !width) return this.drawing.replaceChildren();
    const scale = scaleOf(this.#bars.map((bar) => bar.total));
    this.drawing.replaceChildren(
      ...this.#grid(scale, width, { isText: false }),
      ...this.#bars.flatMap((bar, n) => this.#rects(bar, n, scale)),
      ...this.#grid(scale, width, { isText: true }),
      ...(scale.isCut ? this.#cuts(scale, width) : []),
      ...this.#ticks(width),
      ...this.#selection(),
    );
  }

  /** Lines at the top and the middle of the scale, or their counts. */
  #grid({ top }, width, { isText }) {
    if (!this.#bars.length) return [];
    const counts = top % 2 ? [top] : [top, top / 2];
    return counts.map((count) => {
      const y = ABOVE + SCALE * (1 - count / top) + 0.5;
      if (isText) return svg("text", { class: "most", x: 2, y: y - 3 }, shortCount(count));
      return svg("line", { class: "grid-line", x1: 0, x2: width, y1: y, y2: y });
    });
  }

  /** Marks of the bars that are higher than the scale, and the highest count of those side by side. */
  #cuts({ top }, width) {
    const cut = this.#bars.filter(({ total }) => total > top);
    const marks = cut.map(({ atMs }) => {
      const [left, right] = this.#edges(atMs);
      const half = Math.max(4, (right - left) / 2 + 1);
      return svg("path", { class: "cut", d: `M${(left + right) / 2 - half} ${ABOVE + 7}l${half} -4l${half} 4v4l${-half} -4l${-half} 4z` });
    });
    return [...marks, ...this.#runs(cut).map((run) => this.#cutCount(run, width))];
  }

  /** The bars in groups of those side by side. */
  #runs(bars) {
    const runs = [];
    for (const bar of bars) {
      const last = runs.at(-1);
      if (last && bar.atMs - last.at(-1).atMs <= this.#range.stepMs) last.push(bar);
      else runs.push([bar]);
    }
    return runs;
  }

  #cutCount(run, width) {
    const right = this.#edges(run.at(-1).atMs)[1] + 4;
    const isLeft = right + CUT_LABEL > width;
    const place = isLeft ? { x: this.#edges(run[0].atMs)[0] - 4, "text-anchor": "end" } : { x: right };
    return svg("text", { class: "cut-count", y: 10, ...place }, `↑ ${shortCount(Math.max(...run.map(({ total }) => total)))}`);
  }

  #summary() {
    if (!this.#bars.length) return "No logs over time";
    const total = this.#bars.reduce((sum, bar) => sum + bar.total, 0);
    const highest = this.#bars.reduce((one, other) => (other.total > one.total ? other : one));
    const most = `at most ${highest.total.toLocaleString("en")} at ${momentText(highest.atMs)}`;
    return `${total.toLocaleString("en")} logs between ${momentText(this.#range.startMs)} and ${momentText(this.#range.endMs)}, ${most}`;
  }

  #rects(bar, n, { top }) {
    const [left, right] = this.#edges(bar.atMs);
    const highest = bar.total > top ? SCALE + ABOVE / 2 : (SCALE * bar.total) / top;
    let y = HEIGHT - AXIS;
    return byOrder(bar.counts).map(([level, count]) => {
      const height = Math.max(count ? 1 : 0, (highest * count) / bar.total);
      y -= height;
      const isActive = n === this.#active ? " is-active" : "";
      return svg("rect", { class: `level-${levelOf(level)}${isActive}`, x: left, y, width: right - left, height });
    });
  }

  /** The left and the right edge of a bar, in pixels. */
  #edges(atMs) {
    const left = Math.max(0, this.#x(atMs));
    const right = this.#x(Math.min(atMs + this.#range.stepMs, this.#range.endMs));
    return [left, Math.max(left + 1, right - (right - left > 3 ? 1 : 0))];
  }

  #ticks(width) {
    const { startMs, endMs } = this.#range;
    const every = tickStep(endMs - startMs, Math.max(1, Math.floor(width / LABEL_PIXELS)));
    const offsetMs = zone.offsetMs(startMs); // days begin at midnight of the zone that is shown
    const ticks = [svg("line", { class: "axis", x1: 0, x2: width, y1: HEIGHT - AXIS + 0.5, y2: HEIGHT - AXIS + 0.5 })];
    for (let at = Math.ceil((startMs + offsetMs) / every) * every - offsetMs; at < endMs; at += every) {
      const x = this.#x(at);
      if (x > width - 50) break; // its label would be cut off
      ticks.push(
        svg("line", { class: "axis", x1: x, x2: x, y1: HEIGHT - AXIS, y2: HEIGHT - AXIS + 4 }),
        svg("text", { x: x + 3, y: HEIGHT - 4 }, axisTime(at, every / 1000)),
      );
    }
    return ticks;
  }

  #selection() {
    if (!this.#drag) return [];
    const [left, right] = [this.#drag.from, this.#drag.to].sort((one, other) => one - other);
    return [svg("rect", { class: "selection", x: left, y: 0, width: right - left, height: HEIGHT - AXIS })];
  }

  #showLegend() {
    const totals = new Map();
    for (const bar of this.#bars) for (const [level, count] of bar.counts) totals.set(level, (totals.get(level) ?? 0) + count);
    this.legend.replaceChildren(
      ...byOrder(totals)
        .reverse()
        .map(([level, count]) => {
          const name = level || "no level";
          const label = `Only ${name}: ${count.toLocaleString("en")} logs. With Alt: all others.`;
          return h(
            "button",
            { type: "button", title: label, class: `level-${levelOf(level)}`, onclick: (event) => this.onLevel(level, event.altKey) },
            h("span", { class: "swatch" }),
            `${name} `,
            h("span", { class: "count" }, count.toLocaleString("en")),
          );
        }),
    );
  }

  #x(ms) {
    const { startMs, endMs } = this.#range;
    return ((ms - startMs) / (endMs - startMs)) * this.box.clientWidth;
  }

  #ms(x) {
    const { startMs, endMs } = this.#range;
    return startMs + (Math.max(0, Math.min(x, this.box.clientWidth)) / this.box.clientWidth) * (endMs - startMs);
  }

  #at(event) {
    return event.clientX - this.box.getBoundingClientRect().left;
  }

  #press(event) {
    if (!this.#range || event.button !== 0) return;
    this.box.setPointerCapture(event.pointerId);
    this.#drag = { from: this.#at(event), to: this.#at(event) };
  }

  #point(event) {
    if (!this.#range) return;
    const x = this.#at(event);
    if (this.#drag) {
      this.#drag.to = Math.max(0, Math.min(x, this.box.clientWidth));
      this.#draw();
      const [from, to] = [this.#ms(this.#drag.from), this.#ms(this.#drag.to)].sort((one, other) => one - other);
      this.#showTip(x, h("strong", {}, `${momentText(from)} – ${momentText(to)}`));
      return;
    }
    const atMs = this.#ms(x);
    this.#activate(this.#bars.findIndex((bar) => bar.atMs <= atMs && atMs < bar.atMs + this.#range.stepMs));
  }

  #release() {
    if (!this.#drag) return;
    const { from, to } = this.#drag;
    this.#stop();
    const isClick = Math.abs(to - from) < CLICK_PIXELS;
    const [startMs, endMs] = [this.#ms(from), this.#ms(to)].sort((one, other) => one - other);
    const bar = isClick && this.#bars.find(({ atMs }) => atMs <= startMs && startMs < atMs + this.#range.stepMs);
    if (bar) this.#zoomTo(bar);
    else if (!isClick) this.#zoom(startMs, endMs);
  }

  #zoomTo({ atMs }) {
    const { startMs, endMs, stepMs } = this.#range;
    this.#zoom(Math.max(atMs, startMs), Math.min(atMs + stepMs, endMs));
  }

  #zoom(startMs, endMs) {
    // Whole seconds, at least one.
    const start = Math.floor(startMs / 1000) * 1000;
    this.onZoom(between(start, Math.max(start + 1000, Math.ceil(endMs / 1000) * 1000)));
  }

  #key(event) {
    if (!this.#bars.length || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") this.#activate(Math.max(0, (this.#active < 0 ? this.#bars.length : this.#active) - 1));
    else if (event.key === "ArrowRight") this.#activate(Math.min(this.#bars.length - 1, this.#active + 1));
    else if (event.key === "Enter" && this.#active >= 0) {
      this.#zoomTo(this.#bars[this.#active]);
    } else return;
    event.preventDefault();
  }

  #activate(n) {
    if (n === this.#active && n >= 0) return;
    this.#active = n;
    this.#draw();
    if (n < 0) return this.#hideTip();
    const { atMs, total, counts } = this.#bars[n];
    const lines = byOrder(counts).reverse();
    this.#showTip(
      this.#x(atMs + this.#range.stepMs / 2),
      h("strong", {}, momentText(atMs)),
      ...lines.map(([level, count]) =>
        h("span", { class: `level-${levelOf(level)}` }, h("span", { class: "swatch" }), `${level || "no level"} ${count.toLocaleString("en")}`),
      ),
      lines.length > 1 ? h("span", {}, `total ${total.toLocaleString("en")}`) : null,
    );
  }

  #showTip(x, ...lines) {
    this.tip.replaceChildren(...lines.filter(Boolean));
    this.tip.hidden = false;
    const most = this.box.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(x + 10, most))}px`;
  }

  #hideTip() {
    if (this.#drag) return;
    this.#stop();
  }

  #stop() {
    this.#drag = null;
    this.#active = -1;
    this.tip.hidden = true;
    this.#draw();
  }
}

/** Counts by level, from the least to the most severe. */
function byOrder(counts) {
  const rank = ([level]) => LEVEL_ORDER.indexOf(levelOf(level));
  return [...counts].sort((one, other) => rank(one) - rank(other));
}
