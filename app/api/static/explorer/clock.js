// The time of the service. Relative ranges mean its clock, which may differ from the browser's.

const TOLERATED_MS = 5000; // less is the time that a request took
let aheadMs = null; // how far the clock of the service is ahead; null until known

export const serviceClock = {
  get isKnown() {
    return aheadMs !== null;
  },
  /** The time of the service in epoch milliseconds; the browser's until it is known. */
  nowMs() {
    return Date.now() + (aheadMs ?? 0);
  },
  /** A request sent at one time (of the browser) was executed at another (of the service). */
  learn(sentMs, executedMs) {
    const differenceMs = executedMs - sentMs;
    aheadMs = Math.abs(differenceMs) > TOLERATED_MS ? differenceMs : 0;
  },
};
