// Errors of the service in words: what happened, and what to do about it.

const NARROWER = "Choose a shorter time range, or add conditions to the search.";

const EXPLAINED = {
  too_busy: ["The service is busy", "It runs as many searches as it may. Wait a moment, then try again."],
  time_is_up: ["The search took too long", `It was stopped before it found anything. ${NARROWER}`],
  too_much_memory: ["The search needs too much memory", NARROWER],
  too_much_rows: ["The search reads too many logs", NARROWER],
  cannot_be_answered: ["ClickHouse refused the search", "Change the search. If that does not help, the details tell an operator why."],
  try_again_later: ["The logs are unavailable", "The service does not reach its database, ClickHouse. Nothing is lost; try again in a moment."],
  unauthorized: ["You are not signed in", "Sign in again, then reload the page."],
  forbidden: ["You may not do this", "Someone who gives out rights to these logs can change that."],
  unreachable: ["No connection to the service", "It may be restarting, or your network is interrupted. Try again in a moment."],
  bad_parameter: ["The address of this page has an error", "Choose the time or the columns again."],
  bad_time: ["The time range cannot be used", "Choose another one."],
  no_such_log: ["This log does not exist", "It may be older than logs are kept, or the link is incomplete."],
};
const UNKNOWN = ["The logs could not be read", "Try again. If it happens again, the log of the service has the reason."];
const TIMES = ["start", "end"];

/** `{ title, advice, details }` of an error: details are the words of the service, for operators. */
export function explained(error) {
  const code = error.code === "bad_parameter" && TIMES.includes(error.parameter) ? "bad_time" : error.code;
  const [title, advice] = Object.hasOwn(EXPLAINED, code) ? EXPLAINED[code] : UNKNOWN;
  return { title, advice, details: error.message };
}

/** The same in one line. */
export function inOneLine(error) {
  const { title, advice } = explained(error);
  return `${title}. ${advice}`;
}
