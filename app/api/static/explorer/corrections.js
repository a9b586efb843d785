// What a search that found nothing may have meant: a filter whose value is only the beginning of one, or in another case.

import { request, valuesPath } from "./api.js";
import { filtersIn, term } from "./query_text.js";

const MOST_FILTERS = 3;
const MOST_VALUES = 4;
const PATIENCE_MS = 2000;

/** Queries that would find something, as `{ label, query }`. Throws ApiError, and AbortError when `signal` aborts. */
export async function corrections({ query, start, end }, signal) {
  const filters = filtersIn(query).filter(({ isOut, field, value }) => !isOut && field !== "message" && value);
  const found = await Promise.all(filters.slice(0, MOST_FILTERS).map((filter) => instead(filter, { query, start, end }, signal)));
  return found.flat();
}

async function instead({ field, value, start: from, end: to }, { query, start, end }, signal) {
  const [before, after] = [query.slice(0, from), query.slice(to)];
  const others = `${before}${after}`.trim();
  const parameters = { query: others, start, end, prefix: value, limit: MOST_VALUES, timeout_ms: PATIENCE_MS };
  const { rows } = await request(valuesPath(field), parameters, signal);
  return rows
    .filter((row) => row.value !== value)
    .map((row) => ({ label: term(field, row.value), query: `${before}${term(field, row.value)}${after}` }));
}
