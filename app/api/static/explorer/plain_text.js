// Text of logs as it is shown: characters that are invisible or reorder their neighbours become visible escapes.

/** Colours of a terminal. They are left out, and nothing else is. */
// oxlint-disable-next-line no-control-regex -- it begins with the control character Escape
const COLOURS = /(?:\u{1b}\[|\u{9b})[\d;:]*m/gu;
/**
 * Control and format characters, line separators, lone surrogates, and letters that have no shape. Left as they are: tabs
 * and line breaks, and joiners between characters beyond ASCII, which emoji and several scripts need.
 */
const HIDDEN =
  /\r(?!\n)|(?![\t\n\r])\p{Cc}|(?![\u200c\u200d])\p{Cf}|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])|[\p{Zl}\p{Zp}\p{Cs}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu;

/** The text without the colours of a terminal. */
export function withoutColours(text) {
  return text.replace(COLOURS, "");
}

/** `\u202E` for a character. */
function escapeOf(character) {
  const code = character.codePointAt(0).toString(16).toUpperCase();
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}

/** The text with escapes, for titles and labels. */
export function visibleText(text) {
  return withoutColours(text).replace(HIDDEN, escapeOf);
}

/** The text in pieces, `{ text, isEscape }`, without empty ones. */
export function pieces(text) {
  const plain = withoutColours(text);
  const found = [];
  let from = 0;
  for (const { 0: character, index } of plain.matchAll(HIDDEN)) {
    if (index > from) found.push({ text: plain.slice(from, index), isEscape: false });
    found.push({ text: escapeOf(character), isEscape: true });
    from = index + character.length;
  }
  if (from < plain.length) found.push({ text: plain.slice(from), isEscape: false });
  return found;
}
