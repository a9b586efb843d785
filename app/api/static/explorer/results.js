// A search and its results: the logs page by page, their number, and a notice if there are none.

import { request } from "./api.js";
import { serviceClock } from "./clock.js";
import { corrections } from "./corrections.js";
import { byId, h } from "./dom.js";
import { inOneLine } from "./errors.js";
import { fieldsFor } from "./fields.js";
import { Marks } from "./highlight.js";
import { cancelled, failed, line, meant, nothingFound, partial } from "./notices.js";
import { Pages } from "./pages.js";
import { MOST_KEPT } from "./tail.js";
import { absolute, moment, rangeText } from "./time.js";
import { Waiting } from "./waiting.js";

const MOST_COMPARED = 500; // the newest rows, which hold any duplicate of a new log

/**
 * `begin()` is awaited before the first page is requested; `onSearched(search)` is called when it has arrived, with the range
 * in absolute times; `onNothing()` instead if the search failed or was cancelled.
 */
export class Results {
  #running = new AbortController();
  #pages = null;
  #isLoading = false;
  #isFailed = false;
  #isStuck = false; // the next page is loaded on request only
  #early = null; // tailed logs that arrived before the first page; null once it has arrived
  #followed = new Set(); // ids of tailed logs
  #isCut = false; // older logs were dropped, so there is no next page
  #isCounted = false;
  #range = { start: "", end: "" };

  constructor({ state, list, histogram, searchBox, go, begin, onSearched, onNothing }) {
    Object.assign(this, { state, list, histogram, searchBox, go, begin, onSearched, onNothing });
    this.waiting = new Waiting({ onCancel: (seconds) => this.#cancel(seconds) });
  }

  /** What the search that is shown marks in its logs. */
  marks = new Marks("");

  /** The range of the last search in absolute times, once the clock of the service is known. */
  get range() {
    return this.#range;
  }

  get hasFailed() {
    return this.#isFailed;
  }

  /** Runs the search of the state. */
  async search() {
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    const { query, columns } = this.state.now;
    this.searchBox.show(query);
    this.#pages = null;
    this.#isLoading = true;
    this.#isFailed = this.#isStuck = this.#isCounted = false;
    this.#early = [];
    this.#followed.clear();
    this.#isCut = false;
    this.list.setBusy(true);
    this.waiting.begin();
    await this.begin();
    if (signal.aborted) return;
    const search = { query, ...this.#currentRange() };
    this.#pages = new Pages({ ...search, fields: fieldsFor(columns) });
    await Promise.all([this.#showFirst(signal), this.#showHistogram(search, signal)]);
    if (signal.aborted) return;
    this.#end();
    if (this.#isFailed) this.onNothing();
    else this.onSearched({ query, ...this.#range });
  }

  /** All requests of a view have the same range. Before the clock of the service is known, it resolves `now` itself. */
  #currentRange() {
    const { start, end } = this.state.now;
    this.#range = serviceClock.isKnown ? absolute({ start, end }) : { start, end };
    return this.#range;
  }

  #end() {
    this.list.setBusy(false);
    this.waiting.end();
  }

  /** The user has cancelled the search: the service and ClickHouse stop too, since they notice that nobody waits. */
  #cancel(seconds) {
    this.#running.abort();
    this.#running = new AbortController();
    this.#isLoading = false;
    if (this.#early) {
      this.#isFailed = true;
      this.#pages?.stop();
      this.list.setRows(this.#early);
      this.#early = null;
      this.list.setFoot(cancelled(seconds, () => this.search()));
      byId("took").textContent = "";
      this.onNothing();
    }
    if (!this.#isCounted) this.#showUncounted("Cancelled");
    this.#end();
  }

  /** Loads the next page, if there is one; called again while it loads, it sends no second request. */
  async more({ isRequest = false } = {}) {
    if (this.#isLoading || !this.#pages?.hasMore || (this.#isStuck && !isRequest)) return;
    const { signal } = this.#running;
    this.#isLoading = true;
    this.list.setFoot(line("Loading more …"));
    try {
      const rows = await this.#pages.next(signal);
      this.#isLoading = false;
      this.#isStuck = !rows.length; // the query timed out, and would again
      this.list.append(rows.filter(({ id }) => !this.#followed.has(id)));
      this.showEnd();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#isLoading = false;
      this.#isStuck = true;
      this.list.setFoot(failed(error, { onRetry: () => this.more({ isRequest: true }) }));
    }
  }

  /** Logs that have just been stored, newest first. */
  addNew(rows) {
    for (const { id } of rows) this.#followed.add(id);
    if (this.#early) {
      this.#early = rows.concat(this.#early);
      return;
    }
    if (this.list.prepend(unknown(rows, this.list.rows), MOST_KEPT)) {
      this.#isCut = true;
      this.#pages?.stop();
    }
    this.showEnd();
  }

  /** Counts again, since time has passed. */
  countAgain() {
    return this.#showHistogram({ query: this.state.now.query, ...this.#currentRange() }, this.#running.signal);
  }

  /** Updates the notice after the last log. */
  showEnd() {
    const { query, start, end, live } = this.state.now;
    const { list } = this;
    if (this.#isLoading || this.#isFailed) return;
    if (this.#isCut) list.setFoot(line(`The live list keeps the newest ${MOST_KEPT.toLocaleString("en")} logs. Search again for older ones.`));
    else if (this.#pages.hasMore && this.#isStuck) list.setFoot(partial(() => this.more({ isRequest: true })));
    else if (this.#pages.hasMore) list.setFoot();
    else if (list.rows.length) list.setFoot(line(`That is all: ${rangeText(start, end)}.`));
    else if (live) list.setFoot(line("Waiting for logs …"));
    else {
      const box = h("div", {});
      list.setFoot(nothingFound({ query, start, end, box, onClear: () => this.go({ query: "" }), onRange: (from) => this.#goTo(from) }));
      if (query) this.#correct(box);
    }
  }

  #goTo(start) {
    this.go({ start, end: "now" });
  }

  async #correct(box) {
    const { signal } = this.#running;
    try {
      const found = await corrections({ query: this.state.now.query, ...this.#range }, signal);
      if (found.length && !signal.aborted) box.replaceChildren(meant(found, (query) => this.go({ query })));
    } catch {
      /* the notice is complete without them */
    }
  }

  async #showFirst(signal) {
    const pages = this.#pages;
    try {
      const rows = await pages.next(signal);
      this.#isLoading = false;
      this.#isStuck = !rows.length;
      this.marks = new Marks(pages.search.query);
      this.list.setMarks(this.marks);
      this.list.setRows(unknown(this.#early, rows).concat(rows));
      this.#early = null;
      this.waiting.arrived("logs");
      this.list.setOpen(this.state.now.log);
      this.searchBox.showHints(pages.hints);
      const { took_ms, rows_read } = pages.statistics;
      byId("took").textContent = `${took_ms.toLocaleString("en")} ms`;
      byId("took").title = `${rows_read.toLocaleString("en")} rows read`;
      this.showEnd();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#isLoading = false;
      this.#showFailure(error, pages.search.query);
    }
  }

  #showFailure(error, query) {
    this.#isFailed = true;
    this.#early = null;
    this.#pages.stop();
    this.list.setRows([]);
    this.waiting.arrived("logs");
    byId("took").textContent = "";
    const isMistake = error.code === "bad_query";
    if (isMistake) this.searchBox.showError(error, query);
    const notice = isMistake ? line("The query has an error.") : failed(error, { onRetry: () => this.search(), onRange: (from) => this.#goTo(from) });
    this.list.setFoot(notice);
  }

  async #showHistogram(search, signal) {
    const sentMs = Date.now();
    try {
      const result = await request("/histogram", search, signal);
      if (!serviceClock.isKnown) {
        this.#range = { start: result.start, end: result.end };
        if (search.end === "now") serviceClock.learn(sentMs, Date.parse(result.end));
      }
      this.#showCount(result);
    } catch (error) {
      if (error.name === "AbortError") return;
      // The list of logs shows the reason, unless only the count timed out.
      this.#showUncounted(error.code === "bad_query" ? "" : "Not counted", inOneLine(error));
    }
    this.#isCounted = true;
    this.waiting.arrived("count");
  }

  #showCount(result) {
    const total = this.histogram.show(result);
    const more = result.complete ? "" : "more than ";
    byId("total").textContent = `${more}${total.toLocaleString("en")} ${total === 1 ? "log" : "logs"}`;
    // Screen readers announce a search, not each refresh every ten seconds.
    byId("total").setAttribute("aria-live", this.state.now.live ? "off" : "polite");
    byId("total").title = "";
    byId("kept").textContent = this.#kept();
  }

  #showUncounted(text, reason = "") {
    this.histogram.clear();
    byId("total").textContent = text;
    byId("total").title = reason;
    byId("kept").textContent = "";
  }

  /** The chart covers the range, the list of a long tail more than that. */
  #kept() {
    const { start, end, live } = this.state.now;
    const oldest = this.list.rows.at(-1);
    if (!live || !oldest || Date.parse(oldest.timestamp) >= moment(start)) return "";
    const text = rangeText(start, end);
    return `in the ${text[0].toLowerCase()}${text.slice(1)}; the list keeps ${this.list.rows.length.toLocaleString("en")}`;
  }
}

/** The rows that are not among the newest of the others. */
function unknown(rows, others) {
  const known = new Set(others.slice(0, MOST_COMPARED).map(({ id }) => id));
  return rows.filter(({ id }) => !known.has(id));
}
