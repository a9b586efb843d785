// A query as text: finds the term at the caret, and adds filters. The service parses the language; this module only
// knows where terms begin and end.

const PLAIN_VALUE = /^[\p{L}\p{N}][\p{L}\p{N}_./-]*$/u;
/** A term for one exact value: a field, a colon, and no range, comparison, prefix or parentheses. */
const ONE_VALUE = /^((?:[^\s()":\\]|\\.)+):(?:"((?:[^"\\]|\\.)*)"|((?![<>[{])(?:[^\s()"*\\]|\\.)+))$/s;
const OPERATORS = new Set(["AND", "OR", "NOT", "TO"]);
const MOST_NESTED = 32; // parentheses, as in the service
const HIDDEN = "\u0001"; // replaces text in quotes or parentheses
const JOINED = new RegExp(`(?:^|[\\s)${HIDDEN}])(?:(?:AND|OR|NOT)(?![^\\s()"${HIDDEN}])|&&|\\|\\|)`);
const HAS_OR = new RegExp(`(?:^|[\\s)${HIDDEN}])(?:OR(?![^\\s()"${HIDDEN}])|\\|\\|)`);

/** `name:value`, quoted and escaped where necessary. */
export function term(name, value) {
  const text = String(value);
  const isPlain = PLAIN_VALUE.test(text) && !OPERATORS.has(text);
  return `${escapedName(name)}:${isPlain ? text : quoted(text)}`;
}

/** A text in quotes. */
export function quoted(text) {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function escapedName(name) {
  return name.replace(/^[-+!&|]|[\s()":\\*[\]{}<>]/g, "\\$&");
}

/**
 * The query, narrowed to logs with this value, or with `isOut` to those without. A filter for the opposite, or for another
 * value of the field, is replaced: no log has both. (A message may: it holds many words.)
 */
export function withFilter(query, name, value, { isOut = false } = {}) {
  const wanted = isOut ? `-${term(name, value)}` : term(name, value);
  if (outside(query).match(HAS_OR)) return `(${query.trim()}) ${wanted}`;
  const terms = termsToChange(query);
  if (terms.some((one) => isFor(one, name, value, isOut))) return query;
  const isOther = (one) => !isOut && name !== "message" && one.field === name && !one.isOut;
  const found = terms.find((one) => isFor(one, name, value, !isOut) || isOther(one));
  if (found) return query.slice(0, found.start) + wanted + query.slice(found.end);
  return query.trim() ? `${query.trim()} ${wanted}` : wanted;
}

/** The query without this filter. */
export function withoutFilter(query, name, value, { isOut = false } = {}) {
  return without(query, (one) => isFor(one, name, value, isOut));
}

/** The query without its top-level terms on a field. */
export function withoutField(query, name) {
  const beginning = `${escapedName(name)}:`;
  return without(query, ({ text }) => text.replace(/^-/, "").startsWith(beginning));
}

/** Whether a top-level term requires this value (1), excludes it (-1), or neither (0). */
export function filterOf(query, name, value) {
  const terms = termsToChange(query);
  if (terms.some((one) => isFor(one, name, value, false))) return 1;
  return terms.some((one) => isFor(one, name, value, true)) ? -1 : 0;
}

/** The top-level terms for or against one value: `{ field, value, isOut, start, end }`. */
export function filtersIn(query) {
  return termsToChange(query).filter(({ field }) => field !== undefined);
}

/** Whether a term is for (or with `isOut` against) this value. A level is the same in any case. */
function isFor(one, name, value, isOut) {
  if (one.field !== name || one.isOut !== isOut) return false;
  return name === "level" ? one.value.toLowerCase() === String(value).toLowerCase() : one.value === String(value);
}

/** All texts that a query looks for, in parentheses too: `{ field, text, isPrefix }`. What it excludes is left out. */
export function* termsWithin(query, field = "", depth = 0) {
  let isNegated = false;
  for (const { text, isOut } of topTerms(query)) {
    if (text === "NOT" || text === "!") isNegated = true;
    if (OPERATORS.has(text) || text === "&&" || text === "||") continue;
    if (!isOut && !isNegated && depth < MOST_NESTED) yield* textsOf(text, field, depth);
    isNegated = false;
  }
}

function* textsOf(text, field, depth) {
  const inner = text.match(/^\((.*)\)$/s);
  if (inner) return yield* termsWithin(inner[1], field, depth + 1);
  const [, name, rest] = field ? [] : (text.match(/^((?:[^\s()":\\]|\\.)+):(.+)$/s) ?? []);
  if (name) return yield* textsOf(rest, name.replace(/\\(.)/gs, "$1"), depth);
  const inQuotes = text.match(/^"((?:[^"\\]|\\.)*)"(\*?)$/s);
  if (inQuotes) yield { field, text: inQuotes[1].replace(/\\(["\\])/g, "$1"), isPrefix: Boolean(inQuotes[2]) };
  else if (/^(?![<>[{])(?:[^\s()"\\]|\\.)+$/s.test(text)) {
    const isPrefix = /(?<!\\)\*$/.test(text);
    yield { field, text: (isPrefix ? text.slice(0, -1) : text).replace(/\\(.)/gs, "$1"), isPrefix };
  }
}

/**
 * The word being typed at the caret: its `start` and `end`, its `text` up to the caret without an opening quote, and the
 * `field` whose value it is ("" for a name or a free word).
 */
export function wordAt(query, caret) {
  let start = 0;
  let field = "";
  const outer = []; // fields of the parentheses around
  for (const { at, character, isSpace, isQuoted } of walk(query)) {
    if (at >= caret) break;
    if (isQuoted) continue;
    if (isSpace || character === "(" || character === ")") {
      if (character === "(") outer.push(field);
      if (character === ")") outer.pop();
      start = at + 1;
      field = outer.at(-1) ?? "";
    } else if (character === ":" && !field) {
      field = query.slice(start, at).replace(/^[-+!]+/, "").replace(/\\(.)/g, "$1");
      start = at + 1;
    } else if (at === start && "-+!".includes(character)) {
      start = at + 1;
    }
  }
  const isQuoted = query[start] === '"';
  const rest = query.slice(caret).search(/[\s()]/);
  const end = isQuoted ? closing(query, start) : rest < 0 ? query.length : caret + rest;
  return { start, end: Math.max(end, caret), field, text: query.slice(start + (isQuoted ? 1 : 0), caret) };
}

function closing(query, start) {
  const found = query.slice(start + 1).match(/^(?:[^"\\]|\\.)*"/s);
  return found ? start + 1 + found[0].length : query.length;
}

function without(query, isUnwanted) {
  const kept = termsToChange(query);
  if (!kept.some(isUnwanted)) return query;
  return kept
    .filter((one) => !isUnwanted(one))
    .map(({ start, end }) => query.slice(start, end))
    .join(" ");
}

/** The terms that may be removed or replaced: none where operators join them, since these would be left over. */
function termsToChange(query) {
  return outside(query).match(JOINED) ? [] : topTerms(query);
}

/**
 * The terms outside of all parentheses, each with where it starts and ends; `!` is written as `-`. A term for one value has
 * its `field`, `value` and `isOut` too.
 */
export function topTerms(query) {
  const terms = [];
  let start = -1;
  const add = (end) => {
    const text = query.slice(start, end).replace(/^\+/, "").replace(/^!/, "-");
    terms.push({ text, start, end, ...oneValue(text) });
  };
  for (const { at, depth, isSpace } of walk(query)) {
    const isBetween = isSpace && depth === 0;
    if (!isBetween && start < 0) start = at;
    if (isBetween && start >= 0) {
      add(at);
      start = -1;
    }
  }
  if (start >= 0) add(query.length);
  return terms;
}

function oneValue(text) {
  const isOut = text.startsWith("-");
  const found = (isOut ? text.slice(1) : text).match(ONE_VALUE);
  if (!found) return { isOut };
  const [, name, inQuotes, plain] = found;
  const value = inQuotes === undefined ? plain.replace(/\\(.)/gs, "$1") : inQuotes.replace(/\\(["\\])/g, "$1");
  return { field: name.replace(/\\(.)/gs, "$1"), value, isOut };
}

/** The query with text in quotes and parentheses replaced by `HIDDEN`. */
function outside(query) {
  return [...walk(query)].map(({ character, depth, isQuoted }) => (depth || isQuoted || !character ? HIDDEN : character)).join("");
}

function* walk(query) {
  const open = []; // the closing characters of the open parentheses and ranges
  let isQuoted = false;
  for (let at = 0; at < query.length; at += 1) {
    const character = query[at];
    if (character === "\\") {
      yield { at, character: "", depth: open.length, isSpace: false, isQuoted };
      at += 1;
      if (at < query.length) yield { at, character: "", depth: open.length, isSpace: false, isQuoted };
      continue;
    }
    const wasQuoted = isQuoted;
    if (character === '"') isQuoted = !isQuoted;
    if (!isQuoted && !wasQuoted) {
      if (character === "(") open.push(")");
      else if (isOpening(query, at, open.length > 0)) open.push("]}");
      else if (open.at(-1)?.includes(character)) open.pop();
    }
    const isSpace = !isQuoted && !wasQuoted && /\s/.test(character);
    yield { at, character, depth: open.length, isSpace, isQuoted: isQuoted || wasQuoted };
  }
}

/** A bracket opens a range after the colon, or where a value begins in parentheses; elsewhere it is plain text. */
function isOpening(query, at, isInParentheses) {
  const before = query[at - 1] ?? "";
  return "[{".includes(query[at]) && (before === ":" || (isInParentheses && /[\s(]/.test(before)));
}
