// How to send the first log: a command with the address of this service filled in.

import { copy } from "./clipboard.js";
import { h } from "./dom.js";

const SHOWN_MS = 1_500;

/** The command that sends a log to this address; `needsToken` if the service asks for one. */
export function command(address, needsToken) {
  const token = needsToken ? ` -H "Authorization: Bearer $TOKEN" \\\n ` : "";
  return `curl${token} -d '{"service":"shop","level":"WARN","message":"hello"}' \\\n  ${address}`;
}

/** The command with a button to copy it, and where to read on. */
export function howToSend() {
  const needsToken = document.body.dataset.session !== undefined;
  const text = command(new URL("api/v1/logs", location.href.split("?")[0]).href, needsToken);
  const button = h("button", { type: "button", class: "button", onclick: () => copied(button, text) }, "Copy");
  return h(
    "div",
    { class: "first-log" },
    h("p", {}, "Send a log:"),
    h("pre", { tabindex: "0", "aria-label": "Command that sends a log" }, text),
    h("p", { class: "copies" }, button),
    needsToken ? h("p", { class: "quiet" }, "A token that may send logs: ", h("code", {}, "python -m app token create shop --scope ingest --file tokens")) : null,
    h(
      "p",
      { class: "quiet" },
      "Files, shippers and libraries: ",
      h("code", {}, "docs/recipes.md"),
      ". All that can be sent: ",
      h("a", { href: "api/v1/docs" }, "the API"),
      ". Kafka clients write to the topic.",
    ),
  );
}

async function copied(button, text) {
  button.textContent = (await copy(text)) ? "Copied" : "Not allowed to copy";
  setTimeout(() => (button.textContent = "Copy"), SHOWN_MS);
}
