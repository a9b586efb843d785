// The tab "How it was read" of a log: what each field was read from, fetched when the tab is opened.

import { request } from "./api.js";
import { h } from "./dom.js";
import { inOneLine } from "./errors.js";

const TIMES = {
  written: "The time was written with its zone.",
  assumed: "The time was written without a zone.",
  record: "The time is that of the record in Kafka.",
};

/** Fills the tab of a log. */
export async function showReading(content, row, signal) {
  const note = h("p", { class: "note", role: "status" }, "Reading the record …");
  content.append(note);
  try {
    const found = await request(`/logs/${encodeURIComponent(row.id)}/explain`, {}, signal);
    note.hidden = !found.note;
    note.textContent = found.note;
    content.append(...elementsOf(found));
  } catch (error) {
    if (error.name === "AbortError") return;
    note.textContent = inOneLine(error);
    note.className = "note is-error";
  }
}

function elementsOf({ form, time_from: timeFrom, sources, settings, differences }) {
  const depends = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return [
    form.length ? h("p", { class: "reading-form" }, h("span", { class: "quiet" }, "Read as "), form.join(" > ")) : null,
    timeFrom ? h("p", {}, TIMES[timeFrom]) : null,
    depends.length ? h("p", {}, `With other settings it would be another row: ${depends.join(", ")}`) : null,
    differences.length ? h("p", { class: "note is-error" }, `Stored today, these fields would have other values: ${differences.join(", ")}`) : null,
    sources.length ? h("table", { class: "fields" }, h("caption", {}, "How it was read"), h("tbody", {}, ...sources.map(lineOf))) : null,
  ].filter(Boolean);
}

function lineOf({ field, source, text, rule }) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, field),
    h("td", { class: "value" }, h("div", {}, text ? `${source}: ` : source, text ? h("q", {}, text) : null), rule ? h("div", { class: "quiet" }, rule) : null),
  );
}
