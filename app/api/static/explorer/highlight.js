// Marks what a query has found in the text of a log. The service decides what matches; this module repeats its rules for
// words, roughly: a mark that is missing does no harm.

import { h } from "./dom.js";
import { withoutColours } from "./plain_text.js";
import { termsWithin } from "./query_text.js";

// Letters of these scripts are words of their own, as are signs beyond ASCII.
const WITHOUT_BLANKS = ["Han", "Hiragana", "Katakana", "Bopomofo", "Hangul", "Thai", "Lao", "Myanmar", "Khmer"];
const WORD = `(?:(?!${WITHOUT_BLANKS.map((script) => `\\p{scx=${script}}`).join("|")})[\\p{L}\\p{N}\\p{M}])`;
const BLANKS = "[\\s\\p{Z}\\p{Cf}]+"; // a no-break space is found as a space, and so is a zero-width one
const NAMES_OF_MESSAGE = new Set(["", "message", "msg", "body", "text", "log", "event"]);
const MOST_MARKED = 200; // in one text
const LONGEST_MARKED = 200_000; // characters of a text

/** The marks of a query: `of(field)` is a pattern for a field's text, or null. Excluded terms mark nothing. */
export class Marks {
  #patterns = new Map();

  constructor(query) {
    const found = new Map();
    for (const { field, text, isPrefix } of termsWithin(query)) {
      const name = NAMES_OF_MESSAGE.has(field) ? "message" : field;
      found.set(name, [...(found.get(name) ?? []), patternOf(name, text, isPrefix)].filter(Boolean));
    }
    for (const [name, patterns] of found) if (patterns.length) this.#patterns.set(name, new RegExp(patterns.join("|"), "giu"));
  }

  of(field) {
    return this.#patterns.get(field) ?? null;
  }
}

function patternOf(name, text, isPrefix) {
  if (!text) return "";
  const plain = text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  if (name !== "message") return isPrefix ? `^${plain}` : `^${plain}$`;
  const begin = new RegExp(`^${WORD}`, "u").test(text) ? `(?<!${WORD})` : "";
  const end = !isPrefix && new RegExp(`${WORD}$`, "u").test(text) ? `(?!${WORD})` : isPrefix ? `${WORD}*` : "";
  return begin + plain.replace(/[\s\p{Z}\p{Cf}]+/gu, BLANKS) + end;
}

/** The children of an element that shows the text: text, and elements around what matches the pattern. */
export function marked(text, pattern) {
  const plain = withoutColours(text);
  if (!pattern || plain.length > LONGEST_MARKED) return [plain];
  const children = [];
  let from = 0;
  for (const { 0: match, index } of plain.matchAll(pattern)) {
    if (!match || children.length > 2 * MOST_MARKED) continue;
    children.push(plain.slice(from, index), h("mark", {}, match));
    from = index + match.length;
  }
  return [...children, plain.slice(from)];
}
