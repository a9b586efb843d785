// Connects the modules of the page: events of one update the others.

import { ColumnPicker } from "./column_picker.js";
import { Covers } from "./covers.js";
import { byId } from "./dom.js";
import { Facets } from "./facets.js";
import { FieldNames } from "./field_names.js";
import { fieldsFor } from "./fields.js";
import { Following } from "./following.js";
import { Histogram } from "./histogram.js";
import { LogDetail } from "./log_detail.js";
import { LogList } from "./log_list.js";
import { visibleText } from "./plain_text.js";
import { withFilter, withoutFilter } from "./query_text.js";
import { Resizer } from "./resizer.js";
import { Results } from "./results.js";
import { SearchBox } from "./search_box.js";
import { showSession } from "./session.js";
import { Share } from "./share.js";
import { fillHelp, listenToKeys } from "./shortcuts.js";
import { DEFAULTS, State } from "./state.js";
import { absolute, between, rangeText } from "./time.js";
import { TimePicker } from "./time_picker.js";

const AROUND_MS = 15 * 60_000; // a link to a log shows as much before and after it

const state = new State(follow);
const range = () => ({ start: state.now.start, end: state.now.end });
const columns = () => state.now.columns;
const fields = new FieldNames(range, () => detail.refresh());
const covers = new Covers();
const announce = (text) => (byId("announcement").textContent = text);

const searchBox = new SearchBox({
  form: byId("search"),
  input: byId("query"),
  list: byId("suggestions"),
  problem: byId("problem"),
  fields,
  range,
  onSearch: (query) => go({ query }),
});

const timePicker = new TimePicker({
  button: byId("time"),
  label: byId("time-label"),
  later: byId("later"),
  popover: byId("time-popover"),
  onRange: (wanted) => go({ ...wanted, live: false }),
  onZone: () => [histogram, list, detail].forEach((part) => part.refresh()),
});

const histogram = new Histogram({
  box: byId("histogram"),
  legend: byId("legend"),
  tip: byId("tip"),
  onZoom: (wanted) => go({ ...wanted, live: false }),
  onLevel: (level, isOut) => filter("level", level, { isOut }),
});

const facets = new Facets({
  box: byId("facet-list"),
  fields,
  onFilter: (name, value, wanted) => {
    covers.showFilters(false);
    filter(name, value, wanted);
  },
});

const list = new LogList({
  box: byId("logs"),
  onOpen: openLog,
  onNearEnd: () => results.more(),
  onRemoveColumn: toggleColumn,
  onScroll: () => following.update(),
});

const detail = new LogDetail({
  panel: byId("detail"),
  columns,
  isField: (name) => fields.has(name),
  marks: () => results.marks,
  link: linkTo,
  onClose: closeLog,
  onStep: (by) => list.move(by),
  onTab: (tab) => state.change({ tab }, { isStep: false }),
  onFilter: (name, value, isOut) => filter(name, value, { isOut }),
  onColumn: toggleColumn,
  onQuery: (changes) => go({ ...changes, live: false }),
  onOpen: openLog,
  onAnnounce: announce,
});

const following = new Following({
  state,
  list,
  go,
  onRows: (rows) => results.addNew(rows),
  onCount: () => results.countAgain(),
  onRecovered: () => results.hasFailed && results.search(),
});

const results = new Results({
  state,
  list,
  histogram,
  searchBox,
  go,
  begin: () => following.begin(),
  onSearched: (search) => facets.show(search),
  onNothing: () => facets.clear(),
});

new ColumnPicker({ button: byId("columns"), popover: byId("columns-popover"), fields, columns, onColumn: toggleColumn });
new Share({ button: byId("share"), popover: byId("share-popover"), links, onAnnounce: announce });
new Resizer({ handle: byId("resize"), panel: byId("detail") });

/** Updates the page after a change of the state. */
function follow(now, before) {
  const isOther = ["query", "start", "end"].some((name) => now[name] !== before[name]);
  const isBegun = now.live && !before.live;
  if (now.columns !== before.columns) list.setColumns(now.columns);
  if (isOther || isBegun || fieldsFor(now.columns) !== fieldsFor(before.columns)) results.search();
  else if (before.live && !now.live) {
    following.stop();
    results.showEnd();
    results.countAgain();
  }
  showState();
  if (now.log !== before.log || now.tab !== before.tab) showLog();
  else if (now.columns !== before.columns) detail.refresh();
}

/** Changes the search, including text that is typed but not sent; if nothing changes, searches again. */
function go(changes) {
  const wanted = { query: searchBox.text, ...changes };
  const isSame = Object.entries(wanted).every(([name, value]) => state.now[name] === value);
  if (isSame) results.search();
  else state.change(wanted);
}

function showState() {
  const { query, live } = state.now;
  timePicker.show(range());
  byId("live").setAttribute("aria-pressed", String(live));
  byId("live-bar").hidden = !live;
  document.title = query ? `${visibleText(query)} – Logs` : "Logs";
}

function filter(name, value, { isOut = false, isOn = true } = {}) {
  const change = isOn ? withFilter : withoutFilter;
  go({ query: change(searchBox.text, name, value, { isOut }) });
}

function toggleColumn(name) {
  const others = columns().filter((one) => one !== name);
  state.change({ columns: others.length < columns().length ? others : [...others, name] });
}

/** The address of a log, with the search and the time around it: so it shows the same later, and to others. */
function linkTo(row) {
  const ms = Date.parse(row.timestamp);
  return state.link({ ...between(ms - AROUND_MS, ms + AROUND_MS), live: false, log: row.id, tab: DEFAULTS.tab });
}

function isFixed({ start, end }) {
  return ![start, end].some((text) => text.startsWith("now"));
}

/** The ways to share what is shown. */
function links() {
  const fixed = absolute(results.range.start ? results.range : range());
  const same = { label: "Copy link", note: `${rangeText(state.now.start, state.now.end)}, counted from when it is opened.`, url: state.link({}) };
  const frozen = { label: "Copy link to these times", note: `Always ${rangeText(fixed.start, fixed.end)}.`, url: state.link({ ...fixed, live: false }) };
  return isFixed(state.now) ? [{ ...same, note: frozen.note }] : [same, frozen];
}

function openLog(row) {
  detail.expect(row);
  // Going from log to log adds no history entry: the back button closes the detail.
  state.change({ log: row.id }, { isStep: !state.now.log });
}

function closeLog() {
  state.change({ log: "", tab: DEFAULTS.tab });
  list.focus();
}

function showLog() {
  const { log, tab } = state.now;
  const hadFocus = byId("detail").contains(document.activeElement);
  covers.showDetail(Boolean(log));
  list.setOpen(log);
  if (log) detail.open(log, tab);
  else detail.close();
  if (!log && hadFocus) list.focus();
}

function moveInList(by) {
  list.focus();
  list.move(by);
}

byId("again").addEventListener("click", () => go({}));
byId("earlier").addEventListener("click", () => timePicker.step(-1));
byId("later").addEventListener("click", () => timePicker.step(1));
byId("wider").addEventListener("click", () => timePicker.widen());
byId("help").addEventListener("click", () => byId("help-dialog").showModal());
fillHelp(byId("help-dialog"));
listenToKeys({
  "/": () => byId("query").focus(),
  t: () => byId("time").click(),
  r: () => go({}),
  l: () => following.toggle(),
  p: () => following.togglePause(),
  j: () => moveInList(1),
  k: () => moveInList(-1),
  Escape: () => (covers.hasFilters ? covers.showFilters(false) : state.now.log && closeLog()),
  "?": () => byId("help-dialog").showModal(),
});

list.setColumns(columns());
showState();
results.search();
showLog();
showSession();
