// Formats times of the API for people, in their zone or in UTC.

import { serviceClock } from "./clock.js";
import { recall, remember } from "./remembered.js";

export const QUICK_RANGES = [
  ["now-5m", "Last 5 minutes"],
  ["now-15m", "Last 15 minutes"],
  ["now-1h", "Last hour"],
  ["now-6h", "Last 6 hours"],
  ["now-24h", "Last 24 hours"],
  ["now-7d", "Last 7 days"],
  ["now-30d", "Last 30 days"],
];

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const UNIT_NAMES = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };
const RELATIVE = /^now(?:\s*([+-])\s*(\d+)\s*([smhdw]))?$/;

const LOCAL_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The time zone of the page: the browser's or UTC, stored for the next visit. */
export const zone = {
  isUtc: recall("zone", "local") === "utc",
  local: LOCAL_ZONE,
  get name() {
    return this.isUtc ? "UTC" : LOCAL_ZONE;
  },
  show(isUtc) {
    this.isUtc = isUtc;
    remember("zone", isUtc ? "utc" : "local");
  },
  /** The offset from UTC at a time, in milliseconds. */
  offsetMs(ms) {
    return this.isUtc ? 0 : -new Date(ms).getTimezoneOffset() * 60_000;
  },
};

/** The calendar parts of a time, in the zone of the page. */
function calendarParts(ms) {
  const date = new Date(ms + zone.offsetMs(ms));
  const two = (number) => String(number).padStart(2, "0");
  return {
    year: date.getUTCFullYear(),
    month: MONTHS[date.getUTCMonth()],
    monthNumber: two(date.getUTCMonth() + 1),
    day: two(date.getUTCDate()),
    clock: `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`,
    millis: String(date.getUTCMilliseconds()).padStart(3, "0"),
  };
}

/** The time of a log for a list, to the millisecond; an invalid time is shown as it is. */
export function shortTime(text) {
  return dayAndClock(text).join(" ").trim();
}

/** The same in two parts, since a narrow list has no room for the day. */
export function dayAndClock(text) {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return ["", text];
  const { month, day, clock, millis } = calendarParts(ms);
  return [`${month} ${day}`, `${clock}.${millis}`];
}

/** The time of a log with all its digits, and the zone. */
export function longTime(text) {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return text;
  const { year, monthNumber, day, clock } = calendarParts(ms);
  const fraction = text.match(/\.\d+/)?.[0] ?? "";
  return `${year}-${monthNumber}-${day} ${clock}${fraction} ${zone.name}`;
}

/** A time for the label of an axis with steps of this many seconds. */
export function axisTime(ms, stepSecs) {
  const { month, day, clock } = calendarParts(ms);
  if (stepSecs % 86_400 === 0) return `${month} ${day}`;
  if (stepSecs >= 3600) return `${month} ${day} ${clock.slice(0, 5)}`;
  return stepSecs % 60 === 0 ? clock.slice(0, 5) : clock;
}

/** The offset of the zone of the page at a time, such as `UTC+01:00`. */
export function zoneOffset(ms = serviceClock.nowMs()) {
  const minutes = Math.round(zone.offsetMs(ms) / 60_000);
  const two = (number) => String(number).padStart(2, "0");
  if (!minutes) return "UTC";
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** A time to the second. */
export function momentText(ms) {
  const { month, day, clock } = calendarParts(ms);
  return `${month} ${day} ${clock}`;
}

/** The label of a range, in words. */
export function rangeText(start, end) {
  const quick = end === "now" && QUICK_RANGES.find(([from]) => from === start);
  if (quick) return quick[1];
  const [from, to] = [moment(start), moment(end)];
  if (Number.isNaN(from) || Number.isNaN(to)) return "Unreadable time range";
  const [, sign, count, unit] = start.match(RELATIVE) ?? [];
  if (end === "now" && sign === "-") return Number(count) === 1 ? `Last ${UNIT_NAMES[unit]}` : `Last ${Number(count)} ${UNIT_NAMES[unit]}s`;
  if (RELATIVE.test(start) || RELATIVE.test(end)) return `${momentInWords(start, from)} to ${momentInWords(end, to)}`;
  const [first, last] = [calendarParts(from), calendarParts(to)];
  const isOneDay = dayOf(first) === dayOf(last);
  return `${dayOf(first)} ${first.clock} – ${isOneDay ? last.clock : `${dayOf(last)} ${last.clock}`}`;
}

function dayOf({ year, month, day }) {
  return year === new Date().getFullYear() ? `${month} ${day}` : `${month} ${day} ${year}`;
}

/** `now-2h` as "2 hours ago"; other times by the calendar. */
function momentInWords(text, ms) {
  const relative = text.match(RELATIVE);
  if (!relative) return `${dayOf(calendarParts(ms))} ${calendarParts(ms).clock}`;
  const [, sign, count, unit] = relative;
  if (!unit) return "now";
  const length = `${Number(count)} ${UNIT_NAMES[unit]}${Number(count) === 1 ? "" : "s"}`;
  return sign === "-" ? `${length} ago` : `in ${length}`;
}

/** Epoch milliseconds of `now-15m` or of a written time; NaN if it is neither. */
export function moment(text, nowMs = serviceClock.nowMs()) {
  const relative = text.match(RELATIVE);
  if (!relative) return /^\d{9,}$/.test(text) ? epochMillis(text) : Date.parse(withZone(text));
  const [, sign, count, unit] = relative;
  return unit ? nowMs + Number(`${sign}${count}`) * UNIT_MS[unit] : nowMs;
}

/** The range with relative times replaced by absolute ones, so that several requests mean the same `now`. */
export function absolute({ start, end }, nowMs = serviceClock.nowMs()) {
  const fixed = (text) => (RELATIVE.test(text) ? new Date(moment(text, nowMs)).toISOString() : text);
  return { start: fixed(start), end: fixed(end) };
}

/** A time without a zone is UTC to the service, but local to browsers. */
function withZone(text) {
  return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${text.replace(" ", "T")}Z` : text;
}

/** Epoch milliseconds of an epoch number in s, ms, us or ns; its length tells the unit. */
function epochMillis(digits) {
  return Number(digits) * 10 ** (digits.length < 12 ? 3 : digits.length < 15 ? 0 : digits.length < 18 ? -3 : -6);
}

/** A range between two times in epoch milliseconds, in the format of the state. */
export function between(startMs, endMs) {
  return { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
}

/** The value of `<input type="datetime-local">` for a time. */
export function forInput(ms) {
  const { year, monthNumber, day, clock } = calendarParts(ms);
  return `${year}-${monthNumber}-${day}T${clock}`;
}

/** Epoch milliseconds of the value of such an input; NaN if it is empty. */
export function fromInput(value) {
  return Date.parse(zone.isUtc ? `${value}Z` : value);
}
