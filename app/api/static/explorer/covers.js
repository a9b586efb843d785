// On a narrow screen the log detail covers the page, and the filters cover the list. Covered parts are inert.

import { byId } from "./dom.js";

/** Whether the screen is so narrow that parts cover one another. layout.css has the same limit. */
export const NARROW = matchMedia("(max-width: 60rem)");

/** Is notified when the filters or the log detail open or close. */
export class Covers {
  #hasFilters = false;
  #hasDetail = false;

  constructor() {
    NARROW.addEventListener("change", () => this.#apply());
    byId("filters").addEventListener("click", () => this.showFilters(!this.#hasFilters));
  }

  get hasFilters() {
    return this.#hasFilters && NARROW.matches;
  }

  showFilters(isShown) {
    this.#hasFilters = isShown;
    this.#apply();
  }

  showDetail(isShown) {
    this.#hasDetail = isShown;
    this.#apply();
  }

  #apply() {
    document.body.classList.toggle("has-detail", this.#hasDetail);
    document.body.classList.toggle("has-facets", this.#hasFilters);
    byId("filters").setAttribute("aria-expanded", String(this.#hasFilters));
    const isCovered = NARROW.matches && this.#hasDetail;
    for (const element of [byId("top"), byId("facets")]) element.inert = isCovered;
    byId("main").inert = isCovered || this.hasFilters;
  }
}
