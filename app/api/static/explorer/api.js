// Asks the HTTP API of the same host.

const ROOT = "/api/v1";

/** The question was not answered. `code`, `position` (in characters) and the others are as in the API's error. */
export class ApiError extends Error {
  constructor(error) {
    super(error.message);
    Object.assign(this, error);
  }
}

/** The address of an endpoint; parameters that are undefined are left out. */
export function url(path, parameters = {}) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given.set(name, value);
  return given.size ? `${ROOT}${path}?${given}` : `${ROOT}${path}`;
}

/** The answer to a question. Throws ApiError, and AbortError when `signal` says so. */
export async function ask(path, parameters, signal) {
  let response;
  try {
    response = await fetch(url(path, parameters), { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "unreachable", message: "The service does not answer. Is it running?" });
  }
  const answer = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "unexpected", message: `The service answered ${response.status}, and nothing to read.` });
  });
  if (!response.ok) throw new ApiError(answer.error ?? { code: "unexpected", message: `The answer was ${response.status}.` });
  return answer;
}

/** The path of a field's values: its name may hold any sign, and slashes stay what they are. */
export function valuesPath(field) {
  return `/fields/${field.split("/").map(encodeURIComponent).join("/")}/values`;
}
