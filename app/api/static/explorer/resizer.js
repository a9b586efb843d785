// The edge of the log detail, which is moved with the pointer or the arrow keys. Its width is kept for the next visit.

import { recall, remember } from "./remembered.js";

const LEAST = 320; // pixels of the detail, and of what is left beside it
const KEY_PIXELS = 40;

export class Resizer {
  #isDragged = false;

  constructor({ handle, panel }) {
    Object.assign(this, { handle, panel });
    const width = Number(recall("detail-width", ""));
    if (width) this.#set(width);
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      this.#isDragged = true;
      event.preventDefault(); // selects no text
    });
    handle.addEventListener("pointermove", (event) => this.#isDragged && this.#set(innerWidth - event.clientX));
    for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, () => this.#end());
    handle.addEventListener("keydown", (event) => this.#key(event));
    handle.addEventListener("dblclick", () => this.#reset());
    new ResizeObserver(() => this.#describe()).observe(panel);
  }

  #key(event) {
    const by = { ArrowLeft: KEY_PIXELS, ArrowRight: -KEY_PIXELS }[event.key];
    if (!by) return;
    event.preventDefault();
    this.#set(this.panel.offsetWidth + by);
    this.#end();
  }

  #end() {
    this.#isDragged = false;
    remember("detail-width", String(this.panel.offsetWidth));
  }

  #reset() {
    document.body.style.removeProperty("--detail-width");
    remember("detail-width", "");
  }

  #set(width) {
    const most = Math.max(LEAST, innerWidth - LEAST);
    document.body.style.setProperty("--detail-width", `${Math.round(Math.max(LEAST, Math.min(width, most)))}px`);
  }

  #describe() {
    this.handle.setAttribute("aria-valuenow", String(this.panel.offsetWidth));
    this.handle.setAttribute("aria-valuemin", String(LEAST));
    this.handle.setAttribute("aria-valuemax", String(Math.max(LEAST, innerWidth - LEAST)));
  }
}
