// Shows openapi.json as a page, with a form to try each endpoint.

const MAX_SHOWN_CHARACTERS = 50_000;

function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function field(parameter) {
  const { name, required, description, schema } = parameter;
  const fallback = schema.default ?? "";
  const input = element("input", { name, required, placeholder: String(fallback), autocomplete: "off" });
  return element("label", {}, element("code", {}, required ? `${name} *` : name), input, element("span", {}, description));
}

function address(path, parameters, form) {
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, in: location } of parameters) {
    const value = form.elements[name].value;
    if (location === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(value));
    else if (value) query.set(name, value);
  }
  return query.size ? `${filled}?${query}` : filled;
}

async function* pieces(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a stream, or CSV
  }
}

async function show(url, output, signal) {
  output.hidden = false;
  output.textContent = `GET ${url}\n\n…`;
  try {
    const response = await fetch(url, { signal });
    let text = "";
    for await (const piece of pieces(response)) {
      text = (text + piece).slice(-MAX_SHOWN_CHARACTERS);
      output.textContent = `GET ${url}\n${response.status}\n\n${text}`;
    }
    output.textContent = `GET ${url}\n${response.status}\n\n${pretty(text)}`;
  } catch (error) {
    if (error.name !== "AbortError") output.textContent = `GET ${url}\n\n${error.message}`;
  }
}

function title(method, path, summary) {
  return element("summary", {}, element("code", {}, `${method.toUpperCase()} ${path}`), summary);
}

// Only requests without a body have a form.
function operation(path, method, { summary, parameters }) {
  if (method !== "get") return element("details", {}, title(method, path, summary));
  const output = element("pre", { hidden: true });
  const form = element("form", {}, ...parameters.map(field), element("button", {}, "Try it"), output);
  let running = new AbortController();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    running.abort(); // a stream that is being followed
    running = new AbortController();
    show(address(path, parameters, form), output, running.signal);
  });
  return element("details", {}, title(method, path, summary), form);
}

const about = document.getElementById("about");
try {
  const described = await (await fetch("openapi.json")).json();
  about.textContent = `${described.info.description} Version ${described.info.version}.`;
  const made = Object.entries(described.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, details]) => operation(path, method, details)),
  );
  document.getElementById("endpoints").append(...made);
} catch (error) {
  about.textContent = `The description of the API could not be loaded: ${error.message}`;
}
