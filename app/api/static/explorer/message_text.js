// Long texts of a log: stack traces keep their lines and scroll, JSON is indented on demand.

import { h } from "./dom.js";
import { marked } from "./highlight.js";

/** Lines that say what a stack trace is about, in Java, Python, JavaScript, Go and .NET. */
const CAUSE = /^(?:Caused by:|Suppressed:|(?:[\w$]+[.:])*\w*(?:Exception|Error)\b|panic:|goroutine |Traceback|---> )/;
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const LONGEST_JSON = 1_000_000;

export function isLines(text) {
  return /\n./.test(text);
}

/** The line of a stack trace that says what was behind it all, if that is not the first one; "" if there is none. */
export function causeOf(text) {
  const lines = text.split(/\r?\n/);
  const isPython = lines.some((line) => line.startsWith("Traceback (most recent call last)"));
  const isCause = isPython ? (line) => CAUSE.test(line) && !line.startsWith("Traceback") : (line) => line.startsWith("Caused by:");
  return lines.slice(1).findLast(isCause) ?? "";
}

/** Whether a text is a JSON object or array that indenting makes easier to read. */
export function isJson(text) {
  if (!/^\s*[{[][^]*[\]}]\s*$/.test(text) || text.length > LONGEST_JSON) return false;
  try {
    return JSON.parse(text) !== null;
  } catch {
    return false;
  }
}

/** JSON with a line for each value. Numbers and strings stay as they are written: none is rounded. */
export function prettyJson(text) {
  let depth = 0;
  let written = "";
  const tokens = text.match(TOKEN) ?? [];
  const line = () => `\n${"  ".repeat(depth)}`;
  tokens.forEach((token, n) => {
    const isEmpty = "{[".includes(token) && "}]".includes(tokens[n + 1]);
    if (isEmpty || token === ",") written += token + (isEmpty ? "" : line());
    else if ("{[".includes(token)) {
      depth += 1;
      written += token + line();
    } else if ("}]".includes(token)) {
      if (!"{[".includes(tokens[n - 1])) {
        depth -= 1;
        written += line();
      }
      written += token;
    } else written += token === ":" ? ": " : token;
  });
  return written;
}

/** The element of a long text. One with lines is not wrapped: it scrolls, also with the keyboard. */
export function longText(text, { label, pattern = null, isWrapped = !isLines(text) }) {
  const children = text.split("\n").flatMap((line, n) => {
    const shown = marked(line, pattern);
    const isCause = n > 0 && CAUSE.test(line.trimStart());
    return [n ? "\n" : "", ...(isCause ? [h("strong", {}, ...shown)] : shown)];
  });
  const attributes = isWrapped ? {} : { tabindex: "0", role: "region", "aria-label": label };
  return h("pre", { class: isWrapped ? "long" : "long has-lines", ...attributes }, ...children);
}
