// A search and its results: the logs page by page, their number, and a notice if there are none.

import { request } from "./api.js";
import { byId } from "./dom.js";
import { fieldsFor } from "./fields.js";
import { failed, line, nothingFound, partial } from "./notices.js";
import { Pages } from "./pages.js";
import { MOST_KEPT } from "./tail.js";
import { rangeText } from "./time.js";

const MOST_COMPARED = 500; // the newest rows, which hold any duplicate of a new log

/** `begin()` is awaited before the first page is requested; `onSearched(search)` is called when it has arrived. */
export class Results {
  #running = new AbortController();
  #pages = null;
  #isLoading = false;
  #isFailed = false;
  #isStuck = false; // the next page is loaded on request only
  #early = null; // tailed logs that arrived before the first page; null once it has arrived
  #followed = new Set(); // ids of tailed logs
  #isCut = false; // older logs were dropped, so there is no next page

  constructor({ state, list, histogram, searchBox, go, begin, onSearched }) {
    Object.assign(this, { state, list, histogram, searchBox, go, begin, onSearched });
  }

  /** Runs the search of the state. */
  async search() {
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    const { query, start, end, columns } = this.state.now;
    const search = { query, start, end };
    this.searchBox.show(query);
    this.#pages = new Pages({ ...search, fields: fieldsFor(columns) });
    this.#isLoading = true;
    this.#isFailed = this.#isStuck = false;
    this.#early = [];
    this.#followed.clear();
    this.#isCut = false;
    this.#setBusy(true);
    await this.begin();
    if (signal.aborted) return;
    await Promise.all([this.#showFirst(signal), this.#showHistogram(search, signal)]);
    if (signal.aborted) return;
    this.#setBusy(false);
    if (!this.#isFailed) this.onSearched(search);
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
      this.list.setFoot(failed(error, () => this.more({ isRequest: true })));
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
      this.#pages.stop();
    }
    this.showEnd();
  }

  /** Counts again, since time has passed. */
  countAgain() {
    const { query, start, end } = this.state.now;
    return this.#showHistogram({ query, start, end }, this.#running.signal);
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
      const onRange = (from) => this.go({ start: from, end: "now" });
      list.setFoot(nothingFound({ query, start, end, onClear: () => this.go({ query: "" }), onRange }));
    }
  }

  async #showFirst(signal) {
    const pages = this.#pages;
    try {
      const rows = await pages.next(signal);
      this.#isLoading = false;
      this.#isStuck = !rows.length;
      this.list.setRows(unknown(this.#early, rows).concat(rows));
      this.#early = null;
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
    byId("took").textContent = "";
    const isMistake = error.code === "bad_query";
    if (isMistake) this.searchBox.showError(error, query);
    this.list.setFoot(isMistake ? line("The query has an error.") : failed(error, () => this.search()));
  }

  async #showHistogram(search, signal) {
    try {
      const result = await request("/histogram", search, signal);
      const total = this.histogram.show(result);
      const more = result.complete ? "" : "more than ";
      byId("total").textContent = `${more}${total.toLocaleString("en")} ${total === 1 ? "log" : "logs"}`;
      // Screen readers announce a search, not each refresh every ten seconds.
      byId("total").setAttribute("aria-live", this.state.now.live ? "off" : "polite");
      byId("total").title = "";
    } catch (error) {
      if (error.name === "AbortError") return;
      // The list of logs shows the reason, unless only the count timed out.
      this.histogram.clear();
      byId("total").textContent = error.code === "bad_query" ? "" : "Not counted";
      byId("total").title = error.message;
    }
  }

  #setBusy(isBusy) {
    byId("progress").hidden = !isBusy;
    this.list.setBusy(isBusy);
  }
}

/** The rows that are not among the newest of the others. */
function unknown(rows, others) {
  const known = new Set(others.slice(0, MOST_COMPARED).map(({ id }) => id));
  return rows.filter(({ id }) => !known.has(id));
}
