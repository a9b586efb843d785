// The fields of a log: what a cell shows, and which fields there are.

import { COLUMNS } from "./columns.js";
import { longTime, shortTime } from "./time.js";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];

/** What rows have without being asked for it; attributes are in them too. */
const ROW_FIELDS = COLUMNS.filter((column) => column.isShown).map((column) => column.name);
/** What is not a row's own but can be asked for by this name. */
const ON_REQUEST = COLUMNS.filter((column) => !column.isShown && !column.isKey).map((column) => column.name);
/** What cannot be looked for as one value: times, bytes, and the id that is made of others. */
const NO_FILTER = new Set(["id", "_raw", ...COLUMNS.filter((column) => column.kind === "time").map((column) => column.name)]);
/** Columns whose values are each there once, or nearly, or are measured. */
export const NO_FACET = new Set(COLUMNS.filter((column) => !column.isFacet).map((column) => column.name));
const LONGEST_FILTER = 1000;

/** One of the six levels, for the colour, or `other`. */
export function levelOf(text) {
  const level = String(text ?? "").toLowerCase();
  return LEVELS.includes(level) ? level : "other";
}

/** The levels from the least to the worst, those unknown first. */
export const LEVEL_ORDER = ["other", ...LEVELS];

/** The fields to ask for so that these columns can be shown; empty for the usual ones. */
export function fieldsFor(columns) {
  const more = columns.filter((column) => ON_REQUEST.includes(column));
  return more.length ? [...ROW_FIELDS, ...more].join(",") : "";
}

/** What a log has in a column, as text. */
export function cellText(row, column) {
  const value = valueOf(row, column);
  if (value === null || value === undefined) return "";
  if (column === "timestamp" || column === "_ingested") return shortTime(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
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
 * Everything that a log has, as `{ name, value, text, canFilter }` in the order to show it. `name` finds it in a query
 * and as a column.
 */
export function fieldsOf(row, isField) {
  const plain = Object.entries(row).filter(([name]) => !["id", "attributes", "resource", "message"].includes(name));
  const attributes = Object.entries(row.attributes ?? {}).map(([key, value]) => [attributeName(row, key, isField), value]);
  const resource = Object.entries(row.resource ?? {}).map(([key, value]) => [key === "host.name" ? "host" : `resource.${key}`, value]);
  return [...plain, ...attributes, ...resource]
    .filter(([, value]) => value !== "" && value !== null)
    .map(([name, value]) => ({
      name,
      value,
      text: name === "timestamp" ? longTime(value) : String(value),
      canFilter: canFilter(name, value),
    }));
}

/** An attribute that is called as a column is, by any of its names, has to be asked for as an attribute. */
function attributeName(row, key, isField) {
  const isColumn = Object.hasOwn(row, key) || ON_REQUEST.includes(key) || key === "host" || isField(`attributes.${key}`);
  return isColumn ? `attributes.${key}` : key;
}

/** Whether a query can ask for exactly this. */
export function canFilter(name, value) {
  return !NO_FILTER.has(name) && String(value).length <= LONGEST_FILTER;
}

/** A query that finds this one log. */
export function queryFor(row) {
  const [, partition, offset, item, topicId] = row.id.match(/^\d+-(\d+)-(\d+)-(\d+)-(.*)$/);
  return `topic_id:"${topicId}" partition:${partition} offset:${offset} _item:${item}`;
}
