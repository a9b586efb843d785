// The state of the page is its URL: a copied link shows the same, and the back button goes back.

const WRITE_MS = 100;

/** `start` and `end` are written as for the API; `log` is the id of the open log, `tab` its open tab. */
export const DEFAULTS = Object.freeze({
  query: "",
  start: "now-1h",
  end: "now",
  columns: Object.freeze(["level", "service", "message"]),
  live: false,
  log: "",
  tab: "fields",
});

/** The state of a URL (the part from `?` on); parameters that are missing have their defaults. */
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

/** The URL of a state: the part from `?` on, without defaults. */
function address(state) {
  const given = new URLSearchParams();
  const [written, usual] = [asText(state), asText(DEFAULTS)];
  for (const name of Object.keys(DEFAULTS)) if (written[name] !== usual[name]) given.set(name, written[name]);
  return given.size ? `?${given}` : location.pathname;
}

function asText(state) {
  return { ...state, columns: state.columns.map((name) => name.replace(/[\\,]/g, "\\$&")).join(","), live: state.live ? "1" : "" };
}

/** Comma-separated names; a comma within a name is escaped with a backslash. */
function columnsIn(text) {
  const names = (text.match(/(?:\\.|[^,\\])+/gs) ?? []).map((name) => name.replace(/\\(.)/gs, "$1").trim());
  return [...new Set(names.filter(Boolean))];
}

/** Holds the state, writes it into the URL, and calls `onChange(state, before)` on every change. */
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

  /** Changes parts of the state. With `isStep` the back button undoes it, otherwise it replaces the history entry. */
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

  /** The whole address of the state with these changes. */
  link(changes) {
    return new URL(address({ ...this.now, ...changes }), location.href).href;
  }

  /** Browsers refuse many changes of the URL a second, as when a key is held down. */
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
