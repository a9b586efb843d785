// Notices in place of logs, or after the last one.

import { serviceClock } from "./clock.js";
import { h } from "./dom.js";
import { explained } from "./errors.js";
import { howToSend } from "./first_log.js";
import { moment, rangeText } from "./time.js";

const DAY_MS = 86_400_000;

function notice(title, text, ...buttons) {
  return h("div", { class: "notice" }, h("h2", {}, title), text ? h("p", {}, text) : null, buttons.length ? h("div", { class: "copies" }, ...buttons) : null);
}

function button(label, onclick) {
  return h("button", { type: "button", class: "button", onclick }, label);
}

/**
 * Notice that nothing was found from `start` to `end`, with suggestions to widen the search; `box` is an element for
 * corrections that are still looked for.
 */
export function nothingFound({ query, start, end, box, onClear, onRange }) {
  const nowMs = serviceClock.nowMs();
  const sinceMs = end === "now" ? moment(start, nowMs) : nowMs;
  const wider = [
    sinceMs > nowMs - DAY_MS ? button("Search the last 24 hours", () => onRange("now-24h")) : null,
    sinceMs > nowMs - 30 * DAY_MS ? button("Search the last 30 days", () => onRange("now-30d")) : null,
  ].filter(Boolean);
  const range = rangeText(start, end);
  if (query) {
    const found = notice("No logs match", `${range}: nothing was found for this search.`, button("Clear the search", onClear), ...wider);
    found.querySelector("p").after(box);
    return found;
  }
  const text = `${range}: nothing is stored.`;
  if (document.body.dataset.receives !== undefined) {
    const found = notice("No logs in this time", text, ...wider);
    found.append(howToSend());
    return found;
  }
  const how = "Logs get here through Kafka, or are sent to an instance with the role receive; .venv/bin/python producer.py sends some to try with.";
  return notice("No logs in this time", `${text} ${how}`, ...wider);
}

/** Buttons for queries that were probably meant: `{ label, query }`. */
export function meant(corrections, onQuery) {
  const buttons = corrections.map(({ label, query }) => h("button", { type: "button", class: "button meant", title: query, onclick: () => onQuery(query) }, label));
  return h("div", { class: "copies" }, "Did you mean", ...buttons);
}

const TAKES_TOO_LONG = ["time_is_up", "too_much_memory", "too_much_rows"];

/** Notice that the query failed: what happened and what to do, and the words of the service. */
export function failed(error, { onRetry, onRange = null }) {
  const { title, advice, details } = explained(error);
  const isTime = error.code === "bad_parameter" && ["start", "end"].includes(error.parameter);
  const buttons = [
    isTime ? null : button("Try again", onRetry),
    onRange && isTime ? button("Search the last hour", () => onRange("now-1h")) : null,
    onRange && TAKES_TOO_LONG.includes(error.code) ? button("Search the last 15 minutes", () => onRange("now-15m")) : null,
  ].filter(Boolean);
  const found = notice(title, advice, ...buttons);
  if (details) found.append(h("p", { class: "quiet details" }, details));
  found.setAttribute("role", "alert");
  return found;
}

/** Notice that the user has cancelled the search. */
export function cancelled(seconds, onRetry) {
  return notice("The search was cancelled", `It had run for ${seconds} seconds. ClickHouse has stopped it too.`, button("Search again", onRetry));
}

/** Notice that the query timed out. */
export function partial(onMore) {
  return h("p", { class: "note" }, "The search timed out before it read the whole range. ", button("Continue search", onMore));
}

/** A line of text. */
export function line(text) {
  return h("p", { class: "note" }, text);
}
