// What the page shows is what its address says: a copied link shows the same, and the back button goes back.

const WRITE_MS = 100;

/** `start` and `end` are written as for the API; `log` is the id of the one that is open, `tab` what of it is shown. */
export const DEFAULTS = Object.freeze({
  query: "",
  start: "now-1h",
  end: "now",
  columns: Object.freeze(["level", "service", "message"]),
  live: false,
  log: "",
  tab: "fields",
});

/** The state that an address (the part from `?` on) stands for; what it does not name is as usual. */
function readState(search) {
  const given = new URLSearchParams(search);
  const text = (name) => given.get(name) ?? DEFAULTS[name];
  return {
    query: text("query"),
    start: text("start"),
    end: text("end"),
    columns: given.has("columns") ? columnsIn(given.get("columns")) : [...DEFAULTS.columns],
    live: given.get("live") === "1",
    log: text("log"),
    tab: text("tab"),
  };
}

/** The address of a state: the part from `?` on, without what is as usual. */
function address(state) {
  const given = new URLSearchParams();
  const [written, usual] = [asText(state), asText(DEFAULTS)];
  for (const name of Object.keys(DEFAULTS)) if (written[name] !== usual[name]) given.set(name, written[name]);
  return given.size ? `?${given}` : location.pathname;
}

function asText(state) {
  return { ...state, columns: state.columns.map((name) => name.replace(/[\\,]/g, "\\$&")).join(","), live: state.live ? "1" : "" };
}

/** Names between commas; a comma within a name has a backslash before it. */
function columnsIn(text) {
  const names = (text.match(/(?:\\.|[^,\\])+/gs) ?? []).map((name) => name.replace(/\\(.)/gs, "$1").trim());
  return [...new Set(names.filter(Boolean))];
}

/** Holds the state, writes it into the address, and tells `onChange(state, before)` of every change. */
export class State {
  #timer = 0;
  #writtenAtMs = 0;

  constructor(onChange) {
    this.now = readState(location.search);
    this.onChange = onChange;
    window.addEventListener("popstate", () => {
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#set(readState(location.search));
    });
  }

  /** Changes some of it. With `isStep` the back button undoes it, otherwise it takes the place of what was. */
  change(changes, { isStep = true } = {}) {
    const next = { ...this.now, ...changes };
    if (address(next) === address(this.now)) return;
    if (isStep) {
      if (this.#timer) this.#write();
      history.pushState(null, "", address(next));
    }
    this.#set(next);
    if (!isStep) this.#writeSoon();
  }

  /** Browsers refuse to have the address changed many times a second, as when a key is held down. */
  #writeSoon() {
    const waitMs = this.#writtenAtMs + WRITE_MS - performance.now();
    if (waitMs <= 0) this.#write();
    else if (!this.#timer) this.#timer = setTimeout(() => this.#write(), waitMs);
  }

  #write() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#writtenAtMs = performance.now();
    history.replaceState(null, "", address(this.now));
  }

  #set(next) {
    const before = this.now;
    this.now = next;
    this.onChange(next, before);
  }
}
