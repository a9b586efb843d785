// Keyboard shortcuts, and the dialog that lists them.

import { h } from "./dom.js";
import { recall, remember } from "./remembered.js";

const REPEATED = new Set(["j", "k"]); // repeat while held down; other keys act once
let isOn = recall("keys", "on") === "on";

/** Calls `actions[key]` when a key is pressed outside of text fields. */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.repeat && !REPEATED.has(event.key)) || (!isOn && event.key !== "Escape")) return;
    // Text fields take the key, and an open dialog or popover has keys of its own.
    if (event.target.closest("input, textarea, select") || document.querySelector(":popover-open, dialog[open]")) return;
    const act = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });
}

const KEYS = [
  ["/", "search"],
  ["t", "choose the time"],
  ["r", "search again"],
  ["j  ↓", "next log"],
  ["k  ↑", "previous log"],
  ["Enter", "show the details of the log"],
  ["Esc", "close the detail or dialog"],
  ["l", "start or stop following new logs"],
  ["p", "hold back new logs, or resume"],
  ["← →", "in the chart: move between bars; Enter zooms in"],
  ["?", "show this list"],
];

/** Users of speech input may want to switch off single-letter shortcuts. */
function switchKeys(isWanted) {
  isOn = isWanted;
  remember("keys", isOn ? "on" : "off");
}

/** The dialog that lists the shortcuts. */
export function fillHelp(dialog) {
  dialog.replaceChildren(
    h("h2", { id: "help-title" }, "Keys"),
    h("dl", {}, ...KEYS.flatMap(([key, meaning]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, meaning)])),
    h("p", {}, "Searching: ", h("code", {}, "service:web level:>=warn timeout"), ", ", h("code", {}, '"card declined"'), ", ", h("code", {}, "user_id:123"), ", ", h("code", {}, "response_time_ms:>500"), ", ", h("code", {}, "-level:debug"), ". Words are whole words; ", h("code", {}, "timeo*"), " finds words that begin like this."),
    h("p", {}, h("a", { href: "/api/v1/docs" }, "HTTP API documentation")),
    h("p", {}, h("label", {}, h("input", { type: "checkbox", checked: isOn, onchange: (event) => switchKeys(event.target.checked) }), " Enable single-key shortcuts")),
    h("form", { method: "dialog" }, h("button", { class: "button primary" }, "Close")),
  );
}
