// Creates elements. A child is text or an element, and is never parsed as HTML. Characters that nobody can see become
// visible escapes, in text, titles and labels.

import { pieces, visibleText } from "./plain_text.js";

const SVG = "http://www.w3.org/2000/svg";
const READ_ALOUD = new Set(["title", "aria-label", "placeholder"]);

/** An element. Attributes that are null, undefined or false are left out; `onclick` and the like are listeners. */
export function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Like `h`, for an SVG element. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** An icon from the list at the end of index.html, hidden from screen readers. */
function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#icon-${name}` }));
}

/** A button with an icon and an accessible label. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (READ_ALOUD.has(key)) element.setAttribute(key, visibleText(String(value)));
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined).flatMap(nodes));
  return element;
}

function nodes(child) {
  if (child instanceof Node) return [child];
  return pieces(String(child)).map(({ text, isEscape }) => (isEscape ? escaped(text) : text));
}

function escaped(text) {
  const element = document.createElement("span");
  element.className = "escape";
  element.textContent = text;
  return element;
}

/** Replaces the content of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flatMap(nodes));
}

/** The element of index.html with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Opens a popover below its button, within the window. */
function openBelow(popover, button) {
  popover.showPopover();
  const at = button.getBoundingClientRect();
  const left = Math.min(at.left, document.documentElement.clientWidth - popover.offsetWidth - 8);
  popover.style.left = `${Math.max(8, left)}px`;
  popover.style.top = `${at.bottom + 4}px`;
  popover.querySelector("button, input")?.focus();
}

/** Makes a button open and close a popover; `onOpen` fills it before it is shown. */
export function joinPopover(button, popover, onOpen = () => {}) {
  let wasOpen = false;
  // A press outside an open popover closes it before the click event; that click must not open it again.
  button.addEventListener("pointerdown", () => (wasOpen = popover.matches(":popover-open")));
  button.addEventListener("keydown", () => (wasOpen = popover.matches(":popover-open")));
  button.addEventListener("click", () => {
    const isClosing = wasOpen;
    wasOpen = false;
    if (isClosing) return popover.hidePopover();
    onOpen();
    openBelow(popover, button);
  });
  popover.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed" && popover.contains(document.activeElement)) button.focus();
  });
}

/** Debounces `call`: runs it once it has not been requested for a while (milliseconds), unless it is cancelled. */
export function debounced(call, millis) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(call, millis);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** Waits (milliseconds). Throws AbortError when `signal` aborts. */
export function wait(millis, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, millis);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
