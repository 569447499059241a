// Reranking by ai through workers-ai-provider, which has one address and an option to reroute it.
// It runs beside the packages, as a user's own module would.

import { readFileSync } from "node:fs";

import { rerank } from "ai";
import { createWorkersAI } from "workers-ai-provider";
import { Checks, equal, expect } from "./checking.mjs";
import { pairScores } from "./passages.mjs";

const installed = new URL("./node_modules/workers-ai-provider/package.json", import.meta.url);
const version = JSON.parse(readFileSync(installed, "utf8")).version.split(".").map(Number);
const { url, key, models, samples } = JSON.parse(readFileSync(0, "utf8"));
const TOLERANCE = 1e-4; // what else is in a batch may move the last digits
const HOSTS = /^https:\/\/(api|gateway\.ai)\.cloudflare\.com/;

const checks = new Checks(version);

const rerouted = (asked, options) => fetch(String(asked).replace(HOSTS, url), options);
const provider = (rest = {}, apiKey = key) =>
  createWorkersAI({ accountId: "0123456789abcdef0123456789abcdef", apiKey, fetch: rerouted, ...rest });
const ask = (rest, workersAI = provider()) =>
  rerank({
    model: workersAI.reranking(models.ranker),
    query: samples.query,
    documents: samples.passages,
    maxRetries: 0,
    ...rest,
  });

/** Demand an exception with the server's status and its code. */
async function refused(status, code, call) {
  const error = await call().then(
    () => expect(false, "expected an exception, and nothing was thrown"),
    (thrown) => thrown,
  );
  equal([error.name, error.statusCode], ["AI_APICallError", status], "exception and status");
  const { errors } = JSON.parse(error.responseBody);
  equal(errors.map((each) => each.code), [code], "the code");
}

checks.add("rerank: texts", {}, async () => {
  const { ranking, rerankedDocuments } = await ask();
  equal(rerankedDocuments[0], ranking[0].document, "the best document");
  return pairScores(ranking, "originalIndex", "score");
});

checks.add("rerank: topN", {}, async () => {
  const { ranking } = await ask({ topN: 1 });
  const whole = await ask();
  const best = whole.ranking[0].originalIndex;
  equal(ranking.map(({ originalIndex }) => originalIndex), [best], "the best one alone");
});

checks.add("rerank: objects, as the JSON that the provider makes of them", {}, async () => {
  const documents = samples.passages.map((passage) => ({ passage }));
  const { ranking } = await ask({ documents });
  pairScores(ranking, "originalIndex", "score");
  const alike = await ask({ documents: documents.map((each) => JSON.stringify(each)) });
  const order = alike.ranking.map(({ originalIndex }) => originalIndex);
  equal(ranking.map(({ originalIndex }) => originalIndex), order, "the order of the same JSON");
  const difference = Math.abs(ranking[0].score - alike.ranking[0].score);
  expect(difference <= TOLERANCE, `the scores of the same JSON differ by ${difference}`);
});

checks.add("rerank through a gateway", {}, async () => {
  const { ranking } = await ask({}, provider({ gateway: { id: "my-gateway" } }));
  return pairScores(ranking, "originalIndex", "score");
});

checks.add("an AI_APICallError: an unknown model", {}, () =>
  refused(400, 5007, () => ask({ model: provider().reranking(models.unknown) })),
);

checks.add("an AI_APICallError: a wrong key", {}, () =>
  refused(401, 10000, () => ask({}, provider({}, "wrong"))),
);

await checks.run();
