// The list of logs. Only visible rows are in the page, so scrolling stays smooth with any number of logs.

import { h, iconButton } from "./dom.js";
import { cellText, isNumeric, levelOf } from "./fields.js";
import { marked } from "./highlight.js";
import { dayAndClock, zone, zoneOffset } from "./time.js";

const BEYOND = 12; // rows drawn above and below the visible ones
const NEAR_END = 60; // rows before the end at which the next page is loaded
const WIDTHS = { level: "var(--level-width)", service: "var(--service-width)", message: "minmax(12rem, 1fr)" };
const USUAL_WIDTH = "minmax(7rem, 12rem)";
const CLICK_PIXELS = 4; // a pointer that moves further selects text
const LONGEST_CELL = 2000; // characters; more are not in sight

/**
 * A grid with keyboard navigation. Calls `onOpen(row)` for a chosen log, `onNearEnd()` when the end is almost visible,
 * `onRemoveColumn(name)`, and `onScroll()` when the user scrolls.
 */
export class LogList {
  #rows = [];
  #columns = [];
  #drawn = new Map(); // elements in the page, by id of the log
  #activeId = "";
  #openId = "";
  #isDue = false;
  #pressed = null; // where the pointer went down
  #marks = null;

  constructor({ box, onOpen, onNearEnd, onRemoveColumn, onScroll }) {
    Object.assign(this, { box, onOpen, onNearEnd, onRemoveColumn, onScroll });
    this.head = h("div", { class: "head", role: "row", "aria-rowindex": "1" });
    this.canvas = h("div", { class: "canvas", role: "rowgroup" });
    this.foot = h("div", { class: "foot" });
    this.zone = h("span", { class: "zone" });
    this.grid = h("div", { class: "grid", role: "grid", tabindex: "0", "aria-label": "Logs, newest first" });
    this.grid.append(h("div", { role: "rowgroup", class: "head-group" }, this.head), this.canvas);
    box.append(this.grid, this.foot);
    box.addEventListener("scroll", () => {
      this.draw();
      this.onScroll();
    });
    new ResizeObserver(() => {
      this.#measure();
      this.draw();
    }).observe(box);
    this.canvas.addEventListener("pointerdown", ({ clientX, clientY }) => (this.#pressed = { clientX, clientY }));
    this.canvas.addEventListener("click", (event) => this.#click(event));
    this.grid.addEventListener("keydown", (event) => this.#key(event));
  }

  get isAtTop() {
    return this.box.scrollTop <= 2;
  }

  /** Shows other columns. */
  setColumns(columns) {
    this.#columns = columns;
    const widths = ["var(--time-width)", ...columns.map((name) => Object.hasOwn(WIDTHS, name) ? WIDTHS[name] : USUAL_WIDTH)];
    this.grid.style.setProperty("--columns", widths.join(" "));
    this.grid.setAttribute("aria-colcount", String(columns.length + 1));
    this.head.replaceChildren(
      h("span", { role: "columnheader", class: "time", title: zone.name }, "time", this.zone),
      ...columns.map((name) =>
        h(
          "span",
          { role: "columnheader" },
          h("span", { class: "name", title: name }, name),
          iconButton("close", `Remove the column ${name}`, () => this.onRemoveColumn(name), { tabindex: "-1" }),
        ),
      ),
    );
    this.refresh();
  }

  /** Marks what a query has found; see highlight.js. */
  setMarks(marks) {
    this.#marks = marks;
  }

  /** Shows these logs, from the top. */
  setRows(rows) {
    this.#rows = rows;
    this.#activeId = "";
    this.box.scrollTop = 0;
    this.refresh();
  }

  /** Appends logs at the end. */
  append(rows) {
    this.#rows = this.#rows.concat(rows);
    this.draw();
  }

  /** Adds newer logs at the top and keeps at most `most`; returns whether older ones were dropped. */
  prepend(rows, most) {
    const all = rows.concat(this.#rows);
    this.#rows = all.slice(0, most);
    this.draw();
    return all.length > most;
  }

  get rows() {
    return this.#rows;
  }

  /** Marks the log whose detail is open. */
  setOpen(id) {
    this.#openId = id;
    if (id) this.#activeId = id;
    this.#mark();
  }

  /** Sets the content after the last log. */
  setFoot(...children) {
    const hadFocus = this.foot.contains(document.activeElement);
    this.foot.replaceChildren(...children);
    if (hadFocus) this.focus(); // the button that was pressed is gone
  }

  setBusy(isBusy) {
    this.grid.setAttribute("aria-busy", String(isBusy));
  }

  focus() {
    this.grid.focus();
  }

  /** Draws the visible rows before the next frame. */
  draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  /** Draws all rows again, since the columns or the time zone have changed. */
  refresh() {
    this.zone.textContent = zoneOffset();
    this.zone.parentElement?.setAttribute("title", zone.name);
    this.#drawn.clear();
    this.canvas.replaceChildren();
    this.draw();
  }

  #measure() {
    this.rowHeight = Number.parseFloat(getComputedStyle(this.grid).getPropertyValue("--row-height"));
  }

  #draw() {
    if (!this.rowHeight) this.#measure();
    const count = this.#rows.length;
    this.canvas.style.height = `${count * this.rowHeight}px`;
    this.grid.setAttribute("aria-rowcount", String(count + 1));
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.rowHeight) - BEYOND);
    const last = Math.min(count, Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.rowHeight) + BEYOND);
    const wanted = new Map();
    for (let n = first; n < last; n += 1) wanted.set(this.#rows[n].id, n);
    for (const [id, element] of this.#drawn) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#drawn.delete(id);
    }
    for (const [id, n] of wanted) this.#position(id, n);
    this.#mark();
    if (count && last > count - NEAR_END) this.onNearEnd();
  }

  #position(id, n) {
    let element = this.#drawn.get(id);
    if (!element) {
      element = this.#element(this.#rows[n]);
      this.#drawn.set(id, element);
      this.canvas.append(element);
    }
    element.style.transform = `translateY(${n * this.rowHeight}px)`;
    element.setAttribute("aria-rowindex", String(n + 2));
    element.classList.toggle("is-odd", n % 2 === 1);
  }

  #element(row) {
    const [day, clock] = dayAndClock(row.timestamp);
    return h(
      "div",
      { class: `row level-${levelOf(row.level)}`, role: "row", id: `log-${row.id}` },
      h("span", { role: "gridcell", class: "time" }, h("span", { class: "day" }, `${day} `), clock),
      ...this.#columns.map((name) => this.#cell(row, name)),
    );
  }

  #cell(row, name) {
    // One line: the detail shows the others.
    const text = cellText(row, name).slice(0, LONGEST_CELL).replace(/\s*\r?\n\s*/g, " ⏎ ");
    const number = isNumeric(row, name) ? " is-number" : "";
    // Other columns have what was searched in each row: marks there would say nothing.
    const pattern = name === "message" ? this.#marks?.of(name) : null;
    return h("span", { role: "gridcell", class: `cell-${kind(name)}${number}` }, ...marked(text, pattern));
  }

  #mark() {
    for (const [id, element] of this.#drawn) {
      element.classList.toggle("is-active", id === this.#activeId);
      element.setAttribute("aria-selected", String(id === this.#openId));
    }
    const isThere = this.#drawn.has(this.#activeId);
    if (isThere) this.grid.setAttribute("aria-activedescendant", `log-${this.#activeId}`);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  #click(event) {
    const element = event.target.closest(".row");
    // A user who has just selected text wants to copy it. A click elsewhere opens the log, whatever is selected.
    if (!element || (this.#isMoved(event) && !getSelection().isCollapsed)) return;
    this.#choose(element.id.slice("log-".length));
  }

  #isMoved({ clientX, clientY }) {
    return this.#pressed && Math.hypot(clientX - this.#pressed.clientX, clientY - this.#pressed.clientY) > CLICK_PIXELS;
  }

  #choose(id) {
    const row = this.#rows.find((one) => one.id === id);
    if (!row) return; // it was opened by its URL, and is not in the list
    this.#activeId = id;
    this.#mark();
    this.onOpen(row);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.rowHeight) - 2);
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === "Enter" || event.key === "o") {
      if (this.#activeId) this.#choose(this.#activeId);
    } else if (event.key in steps) this.move(steps[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Makes another log the active one; if one is open, opens it instead. */
  move(by) {
    if (!this.#rows.length) return;
    const at = this.#rows.findIndex((row) => row.id === this.#activeId);
    const from = at < 0 ? -1 : at;
    const to = Math.max(0, Math.min(this.#rows.length - 1, from + by));
    this.#activeId = this.#rows[to].id;
    this.#scrollTo(to);
    if (this.#openId) this.onOpen(this.#rows[to]);
    this.draw();
  }

  #scrollTo(n) {
    const top = n * this.rowHeight;
    const head = this.head.offsetHeight;
    const seen = this.box.clientHeight - head;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + this.rowHeight > this.box.scrollTop + seen) this.box.scrollTop = top + this.rowHeight - seen;
  }
}

function kind(name) {
  return name === "message" || name === "level" ? name : "other";
}
