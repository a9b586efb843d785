// Calls the HTTP API of the same host.

const ROOT = "/api/v1";

/** An error response. `code`, `position` (in characters) and the other fields are those of the API's error. */
export class ApiError extends Error {
  constructor(error) {
    super(error.message);
    Object.assign(this, error);
  }
}

/** The URL of an endpoint; undefined parameters are left out. */
export function url(path, parameters = {}) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given.set(name, value);
  return given.size ? `${ROOT}${path}?${given}` : `${ROOT}${path}`;
}

/** The JSON response of an endpoint. Throws ApiError, and AbortError when `signal` aborts. */
export async function request(path, parameters, signal) {
  let response;
  try {
    response = await fetch(url(path, parameters), { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "unreachable", message: "" });
  }
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "unexpected", message: `The service responded with status ${response.status} and without JSON.` });
  });
  if (!response.ok) throw refusal(response, body);
  return body;
}

/** The error of a response. Where one can log in, the page goes there if that is what is missing, and comes back. */
export function refusal(response, body) {
  const hasLogin = document.body.dataset.login !== undefined;
  if (response.status === 401 && hasLogin) location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  return new ApiError(body.error ?? { code: "unexpected", message: `The service responded with status ${response.status}.` });
}

/** The path of a field's values: its name may contain any character, and slashes are not escaped. */
export function valuesPath(field) {
  return `/fields/${field.split("/").map(encodeURIComponent).join("/")}/values`;
}
