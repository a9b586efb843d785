// Copies the address of what is shown: as it is, or with the times that it means now.

import { copy } from "./clipboard.js";
import { h, joinPopover } from "./dom.js";

/** `links()` returns `{ label, note, url }` of each way to share; `onAnnounce(text)` is called when one is copied. */
export class Share {
  constructor({ button, popover, links, onAnnounce }) {
    Object.assign(this, { popover, links, onAnnounce });
    joinPopover(button, popover, () => this.#fill());
  }

  #fill() {
    this.popover.replaceChildren(
      ...this.links().map(({ label, note, url }) =>
        h("div", { class: "way" }, h("button", { type: "button", class: "button", onclick: ({ currentTarget }) => this.#copy(currentTarget, url) }, label), h("p", { class: "quiet" }, note)),
      ),
    );
  }

  async #copy(button, url) {
    const isDone = await copy(url);
    button.classList.add(isDone ? "is-done" : "is-failed");
    this.onAnnounce(isDone ? "Copied" : "The browser does not let this page copy");
    if (isDone) setTimeout(() => this.popover.hidePopover(), 400);
  }
}
