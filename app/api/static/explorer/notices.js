// Notices in place of logs, or after the last one.

import { h } from "./dom.js";
import { moment, rangeText } from "./time.js";

const DAY_MS = 86_400_000;

function notice(title, text, ...buttons) {
  return h("div", { class: "notice" }, h("h2", {}, title), text ? h("p", {}, text) : null, buttons.length ? h("div", { class: "copies" }, ...buttons) : null);
}

function button(label, onclick) {
  return h("button", { type: "button", class: "button", onclick }, label);
}

/** Notice that nothing was found from `start` to `end`, with suggestions to widen the search. */
export function nothingFound({ query, start, end, onClear, onRange }) {
  const nowMs = Date.now();
  const sinceMs = end === "now" ? moment(start, nowMs) : nowMs;
  const wider = [
    sinceMs > nowMs - DAY_MS ? button("Search the last 24 hours", () => onRange("now-24h")) : null,
    sinceMs > nowMs - 30 * DAY_MS ? button("Search the last 30 days", () => onRange("now-30d")) : null,
  ].filter(Boolean);
  const range = rangeText(start, end);
  if (query) return notice("No logs match", `${range}: nothing was found for this search.`, button("Clear the search", onClear), ...wider);
  const text = `${range}: nothing is stored. Logs get here through Kafka; python producer.py sends some to try with.`;
  return notice("No logs in this time", text, ...wider);
}

/** Notice that the query failed. */
export function failed(error, onRetry) {
  const titles = { too_busy: "The service is busy", time_is_up: "The query timed out", unreachable: "No connection" };
  const title = titles[error.code] ?? "The logs could not be read";
  return h("div", { role: "alert" }, notice(title, error.message, button("Try again", onRetry)));
}

/** Notice that the query timed out. */
export function partial(onMore) {
  return h("p", { class: "note" }, "The search timed out before it read the whole range. ", button("Continue search", onMore));
}

/** A line of text. */
export function line(text) {
  return h("p", { class: "note" }, text);
}
