// The fields of a log: what a cell shows, and which fields there are.

import { COLUMNS } from "./columns.js";
import { longTime, shortTime } from "./time.js";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];

/** The fields that rows have by default; attributes are in them too. */
const ROW_FIELDS = COLUMNS.filter((column) => column.isShown).map((column) => column.name);
/** Fields that are not a row's own but can be requested by this name. */
const ON_REQUEST = COLUMNS.filter((column) => !column.isShown && !column.isKey).map((column) => column.name);
/** Fields that cannot be filtered by one value: times, bytes, and the id, which consists of other fields. */
const NO_FILTER = new Set(["id", "_raw", ...COLUMNS.filter((column) => column.kind === "time").map((column) => column.name)]);
/** Columns of high cardinality: unique or nearly unique values, and measurements. */
export const NO_FACET = new Set(COLUMNS.filter((column) => !column.isFacet).map((column) => column.name));
const LONGEST_FILTER = 1000;
const IDENTITY = new Set(
  ["topic", "partition", "offset", "topic_id", "_item", "_items", "_reader", "_ingested", "_raw", "severity_number"],
);
/** Whether a field says how a log came in and where it was read from; these come behind the fields that people search. */
export const isIdentity = (name) => IDENTITY.has(name) || name.startsWith("log.receiver.");
const NUMBERS = new Set(COLUMNS.filter(({ kind }) => kind.includes("number")).map(({ name }) => name));

/** One of the six levels, for the colour, or `other`. */
export function levelOf(text) {
  const level = String(text ?? "").toLowerCase();
  return LEVELS.includes(level) ? level : "other";
}

/** The levels from the least to the worst, those unknown first. */
export const LEVEL_ORDER = ["other", ...LEVELS];

/** The fields to request so that these columns can be shown; empty for the default ones. */
export function fieldsFor(columns) {
  const more = columns.filter((column) => ON_REQUEST.includes(column));
  return more.length ? [...ROW_FIELDS, ...more].join(",") : "";
}

/** A log's value in a column, as text. */
export function cellText(row, column) {
  const value = valueOf(row, column);
  if (value === null || value === undefined) return "";
  if (column === "timestamp" || column === "_ingested") return shortTime(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Whether a column has numbers to compare, which are aligned at the right; text that consists of digits has none. */
export function isNumeric(row, column) {
  return NUMBERS.has(column) || typeof valueOf(row, column) === "number";
}

function valueOf(row, column) {
  if (Object.hasOwn(row, column)) return row[column];
  const [attributes, resource] = [row.attributes ?? {}, row.resource ?? {}];
  if (column === "host") return resource["host.name"];
  if (Object.hasOwn(attributes, column)) return attributes[column];
  if (Object.hasOwn(resource, column)) return resource[column];
  const [, map, key] = column.match(/^(attributes|resource)\.(.+)$/s) ?? [];
  const chosen = map === "resource" ? resource : attributes;
  return key !== undefined && Object.hasOwn(chosen, key) ? chosen[key] : undefined;
}

/**
 * All fields of a log, as `{ name, value, text, canFilter }` in display order. `name` is its name in a query and as a
 * column.
 */
export function fieldsOf(row, isField) {
  const plain = Object.entries(row).filter(([name]) => !["id", "attributes", "resource", "message"].includes(name));
  const attributes = Object.entries(row.attributes ?? {}).map(([key, value]) => [attributeName(row, key, isField), value]);
  const resource = Object.entries(row.resource ?? {}).map(([key, value]) => [key === "host.name" ? "host" : `resource.${key}`, value]);
  const isLast = ([name]) => IDENTITY.has(name);
  return [...plain.filter((one) => !isLast(one)), ...attributes, ...resource, ...plain.filter(isLast)]
    .filter(([, value]) => value !== "" && value !== null)
    .map(([name, value]) => ({
      name,
      value,
      text: name === "timestamp" ? longTime(value) : String(value),
      canFilter: canFilter(name, value),
    }));
}

/** An attribute with the name or an alias of a column must be queried with a prefix. */
function attributeName(row, key, isField) {
  const isColumn = Object.hasOwn(row, key) || ON_REQUEST.includes(key) || key === "host" || isField(`attributes.${key}`);
  return isColumn ? `attributes.${key}` : key;
}

/** Whether a query can filter by exactly this value. */
export function canFilter(name, value) {
  return !NO_FILTER.has(name) && String(value).length <= LONGEST_FILTER;
}

const LONGEST_KEY = 200;

/**
 * A part of a message that finds the message and those like it: all of it, or of a long one (a stack trace) the beginning of
 * its first line with a word, up to the end of a word. Empty if it has no words.
 */
export function keyOf(message) {
  if (message.length <= LONGEST_FILTER) return message;
  const line = message.split(/\r?\n/).find((one) => /[A-Za-z0-9]|[^\0-\x7f]/.test(one)) ?? "";
  const text = line.trim();
  if (text.length <= LONGEST_KEY) return text;
  // The service finds whole words only: the last one may be cut.
  return text.slice(0, LONGEST_KEY).replace(/(?:[A-Za-z0-9]|[^\0-\x7f])+$/, "").trim();
}

/** A query that finds this one log. */
export function queryFor(row) {
  const [, partition, offset, item, topicId] = row.id.match(/^\d+-(\d+)-(\d+)-(\d+)-(.*)$/);
  return `topic_id:"${topicId}" partition:${partition} offset:${offset} _item:${item}`;
}
