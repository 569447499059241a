// Hands the document to RapiDoc. RapiDoc puts the origin before a relative server, which is wrong
// behind a proxy that adds a prefix; so the server is made absolute here, as the standard has it.

const viewer = document.querySelector("rapi-doc");
const address = new URL("openapi.json", document.baseURI);

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => viewer.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", follow);
follow();

try {
  const answer = await fetch(address);
  const api = await answer.json();
  if (!answer.ok) throw new Error(api.error);
  api.servers = [{ url: new URL(".", address).href.replace(/\/$/, "") }];
  await customElements.whenDefined("rapi-doc");
  viewer.loadSpec(api);
} catch (error) {
  const trouble = document.getElementById("trouble");
  trouble.textContent = `${address} could not be read: ${error.message}`;
  trouble.hidden = false;
  viewer.hidden = true;
}
