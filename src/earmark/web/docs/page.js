// Hands the document to RapiDoc. RapiDoc puts the origin before a relative server, which is wrong
// behind a proxy that adds a prefix; so the server is made absolute here, as the standard has it.
//
// The page is open to everyone, the document is not where the server has access keys: then the page
// asks for one, keeps it for as long as it is open, and sends it with the requests that it tries.

const viewer = document.querySelector("rapi-doc");
const asking = document.getElementById("asking");
const trouble = document.getElementById("trouble");
const address = new URL("openapi.json", document.baseURI);
const SCHEME = "accessKey";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => viewer.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", follow);
follow();

/** Say that a key is needed, as the server says it, until one holds. */
function askForKey(told) {
  document.getElementById("told").textContent = told;
  asking.hidden = false;
  document.getElementById("key").focus();
}

/** Let an open server's document speak of no keys, and any other's only of the one that is held. */
function secured(api, key) {
  const schemes = api.components.securitySchemes;
  api.components.securitySchemes = key ? { [SCHEME]: schemes[SCHEME] } : {};
  const needed = key ? [{ [SCHEME]: [] }] : [];
  api.security = needed;
  for (const methods of Object.values(api.paths)) {
    for (const operation of Object.values(methods)) {
      if (operation.security?.length) operation.security = needed;
    }
  }
}

async function show(api, key) {
  api.servers = [{ url: new URL(".", address).href.replace(/\/$/, "") }];
  secured(api, key);
  await customElements.whenDefined("rapi-doc");
  if (key) {
    viewer.addEventListener("spec-loaded", () => viewer.setApiKey(SCHEME, key), { once: true });
  }
  asking.hidden = true;
  viewer.hidden = false;
  viewer.loadSpec(api);
}

async function open(key) {
  try {
    const answer = await fetch(address, key ? { headers: { authorization: `Bearer ${key}` } } : {});
    if (answer.status === 401) {
      askForKey(key ? "That key opens nothing here." : "This server asks for an access key.");
      return;
    }
    const api = await answer.json();
    if (!answer.ok) throw new Error(api.error);
    await show(api, key);
  } catch (error) {
    trouble.textContent = `${address} could not be read: ${error.message}`;
    trouble.hidden = false;
    asking.hidden = true;
    viewer.hidden = true;
  }
}

asking.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = document.getElementById("key").value.trim();
  if (key) open(key);
});

await open("");
