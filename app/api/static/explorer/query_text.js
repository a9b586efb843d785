// A query as text: which term the caret is in, and the same query with a filter more. The language is read by the
// service; here is only as much of it as is needed to find where terms begin and end.

const PLAIN_VALUE = /^[\p{L}\p{N}][\p{L}\p{N}_./-]*$/u;
const OPERATORS = new Set(["AND", "OR", "NOT", "TO"]);

/** `name:value`, quoted and escaped as it has to be. */
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

/** The query, narrowed to logs that have this value, or with `isOut` to those that do not. */
export function withFilter(query, name, value, { isOut = false } = {}) {
  const wanted = isOut ? `-${term(name, value)}` : term(name, value);
  const opposite = isOut ? term(name, value) : `-${term(name, value)}`;
  const terms = topTerms(query);
  if (terms.some(({ text }) => text === "OR" || text === "||")) return `(${query.trim()}) ${wanted}`;
  if (terms.some(({ text }) => text === wanted)) return query;
  const found = terms.find(({ text }) => text === opposite);
  if (found) return query.slice(0, found.start) + wanted + query.slice(found.end);
  return query.trim() ? `${query.trim()} ${wanted}` : wanted;
}

/** The query without this filter. */
export function withoutFilter(query, name, value, { isOut = false } = {}) {
  const unwanted = isOut ? `-${term(name, value)}` : term(name, value);
  const found = topTerms(query).find(({ text }) => text === unwanted);
  return found ? `${query.slice(0, found.start).trimEnd()} ${query.slice(found.end).trimStart()}`.trim() : query;
}

/** Whether the query asks for this value (1), for all others (-1), or for neither (0), in a term of its own. */
export function filterOf(query, name, value) {
  const wanted = term(name, value);
  const texts = topTerms(query).map(({ text }) => text);
  if (texts.includes("OR") || texts.includes("||")) return 0;
  return texts.includes(wanted) ? 1 : texts.includes(`-${wanted}`) ? -1 : 0;
}

/** The terms outside of all parentheses, each with where it starts and ends. */
export function topTerms(query) {
  const terms = [];
  let start = -1;
  for (const { at, depth, isSpace } of walk(query)) {
    const isBetween = isSpace && depth === 0;
    if (!isBetween && start < 0) start = at;
    if (isBetween && start >= 0) {
      terms.push({ text: query.slice(start, at), start, end: at });
      start = -1;
    }
  }
  if (start >= 0) terms.push({ text: query.slice(start), start, end: query.length });
  return terms;
}

/**
 * What is being typed at the caret: `start` and `end` of the word, its `text` up to the caret without an opening quote,
 * and the `field` whose value it is ("" where a name or a free word stands).
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

function* walk(query) {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < query.length; at += 1) {
    const character = query[at];
    if (character === "\\") {
      yield { at, character: "", depth, isSpace: false, isQuoted };
      at += 1;
      if (at < query.length) yield { at, character: "", depth, isSpace: false, isQuoted };
      continue;
    }
    const wasQuoted = isQuoted;
    if (character === '"') isQuoted = !isQuoted;
    if (!isQuoted && !wasQuoted) {
      if (character === "(" || isOpening(query, at)) depth += 1;
      if (character === ")" || (depth > 0 && (character === "]" || character === "}"))) depth = Math.max(0, depth - 1);
    }
    yield { at, character, depth, isSpace: !isQuoted && !wasQuoted && /\s/.test(character), isQuoted: isQuoted || wasQuoted };
  }
}

/** A range begins with a bracket behind the colon, and only there: elsewhere brackets are signs like others. */
function isOpening(query, at) {
  return (query[at] === "[" || query[at] === "{") && query[at - 1] === ":";
}
