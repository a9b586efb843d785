// The scales of the chart: round numbers on both axes, and no bar that flattens all others.

const SPIKE = 5; // so many times higher than all but a few others, a bar is cut off
const MOST_CUT = 3; // more bars are no spike but the shape of the chart
const FEW_BARS = 8; // with fewer, none is
const HEADROOM = 1.5;
const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY),
];

/** The smallest round number that is not below a positive one. Counts are whole, and so are halves of the scale from 10 on. */
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  const found = ROUND.map((one) => one * power).find((one) => one >= number && Number.isInteger(one));
  return found ?? Math.ceil(number);
}

/** The top of the scale for these counts, and whether higher bars are cut off there: `{ top, isCut }`. */
export function scaleOf(counts) {
  const sorted = [...counts].sort((one, other) => one - other);
  const most = Math.max(1, sorted.at(-1) ?? 1);
  const usual = sorted.at(-1 - MOST_CUT) ?? most;
  const isCut = sorted.length >= FEW_BARS && most > SPIKE * usual;
  return { top: roundUp(isCut ? usual * HEADROOM : most), isCut };
}

/** The milliseconds between ticks: a round time, for at most `count` ticks. */
export function tickStep(lengthMs, count) {
  return STEPS.find((step) => lengthMs / step <= count) ?? Math.ceil(lengthMs / count / STEPS.at(-1)) * STEPS.at(-1);
}

/** A count for an axis: `1,500`, `25k`, `2.5M`. */
export function shortCount(count) {
  return count < 10_000 ? count.toLocaleString("en") : Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(count);
}
