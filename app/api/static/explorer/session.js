// Who uses the page, where the service asks for that.

import { ApiError, request } from "./api.js";
import { byId } from "./dom.js";
import { visibleText } from "./plain_text.js";

/** Shows who is signed in, and a button to log out if this browser has a session. */
export async function showSession() {
  if (document.body.dataset.session === undefined) return;
  const { name, can_log_out: canLogOut } = await request("/session").catch((error) => {
    if (!(error instanceof ApiError)) throw error;
    return {}; // the search says why
  });
  if (!name) return;
  byId("principal").textContent = visibleText(name);
  byId("log-out").title = `Signed in as ${visibleText(name)}`;
  byId("log-out").hidden = !canLogOut;
  byId("account").hidden = false;
}
