// The Worker of Cloudflare's documentation, over `@cloudflare/ai`, whose binding is a stand-in that
// sends what it is given to the address where wrangler's own sends it.

import { readFileSync } from "node:fs";

import { Ai } from "@cloudflare/ai";
import { Checks, equal, expect } from "./checking.mjs";

const installed = new URL("./node_modules/@cloudflare/ai/package.json", import.meta.url);
const version = JSON.parse(readFileSync(installed, "utf8")).version.split(".").map(Number);
const { url, key, models, samples, sense } = JSON.parse(readFileSync(0, "utf8"));

const checks = new Checks(version);

const binding = {
  fetch: (_, options) =>
    fetch(`${url}/client/v4/accounts/0123456789abcdef0123456789abcdef/ai/run/proxy`, {
      ...options,
      duplex: "half", // the body may be a stream
      headers: { ...options.headers, authorization: `Bearer ${key}` },
    }),
};

checks.add("ai.run", {}, async () => {
  const answer = await new Ai(binding).run(models.classifier, { text: samples.liked });
  const scores = Object.fromEntries(answer.map(({ label, score }) => [label, score]));
  equal(answer.map(({ label }) => label), ["NEGATIVE", "POSITIVE"], "the labels");
  expect(scores[sense.liked] > 0.5, `${JSON.stringify(scores)} is not ${sense.liked}`);
  return { "a text": scores };
});

checks.add("ai.run: an InferenceUpstreamError", {}, async () => {
  const error = await new Ai(binding).run(models.classifier, { text: "" }).then(
    () => expect(false, "expected an exception, and nothing was thrown"),
    (thrown) => thrown,
  );
  equal(error.name, "InferenceUpstreamError", "the exception");
  expect(error.message.includes("Length of '/text' must be >= 1"), error.message);
});

await checks.run();
