// A Worker that stands in for Cloudflare's AI binding: it sends to earmark what a Worker asks of
// `env.AI`. See ../cloudflare.md.

import { WorkerEntrypoint } from "cloudflare:workers";

const BINDING = "http://workers-binding.ai"; // where Cloudflare's own binding sends its requests

export default class Ai extends WorkerEntrypoint {
  /** Run a model, and return its output. */
  async run(model, inputs, options = {}) {
    const answer = await this.#ask(
      new Request(`${BINDING}/run?version=3`, {
        method: "POST",
        headers: { "content-type": "application/json", "cf-consn-model-id": model },
        body: JSON.stringify({ inputs, options }),
      }),
    );
    const found = await answer.json();
    if (answer.ok) return found;
    throw Object.assign(new Error(`${found.internalCode}: ${found.description}`), {
      name: found.name,
    });
  }

  /** List the models that fit, such as those of `{ search: "sst" }`. */
  async models(params = {}) {
    const query = new URLSearchParams(params);
    const answer = await this.#ask(new Request(`${BINDING}/ai-api/models/search?${query}`));
    return (await answer.json()).result;
  }

  /** Pass on a request in the form of `@cloudflare/ai` before 1.2. */
  fetch(request) {
    return this.#ask(request);
  }

  #ask({ method, url, headers, body }) {
    const sent = new Headers(headers);
    sent.set("x-forwarded", url);
    if (this.env.EARMARK_KEY) sent.set("authorization", `Bearer ${this.env.EARMARK_KEY}`);
    const address = `${this.env.EARMARK_URL}/client/v4/accounts/any/ai/run/proxy`;
    return fetch(address, { method, headers: sent, body });
  }
}
