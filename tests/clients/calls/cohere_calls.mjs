// Cohere's own client, and ai through @ai-sdk/cohere, which checks an answer member by member.

import { readFileSync } from "node:fs";

import { createCohere } from "@ai-sdk/cohere";
import { rerank } from "ai";
import { CohereClient, CohereClientV2 } from "cohere-ai";
import { Checks, equal, expect } from "./checking.mjs";
import { pairScores } from "./passages.mjs";

const { url, key, models, samples } = JSON.parse(readFileSync(0, "utf8"));
const asked = { model: models.reranker, query: samples.query, documents: samples.passages };

globalThis.AI_SDK_LOG_WARNINGS = false; // which it writes where the report is read

const checks = new Checks([0]);

checks.add("CohereClientV2.rerank: id, meta, topN", {}, async () => {
  const client = new CohereClientV2({ token: key, environment: url });
  const answer = await client.rerank(asked);
  expect(answer.id, "the answer has no id");
  equal(answer.meta.apiVersion.version, "2", "the version");
  equal(answer.meta.billedUnits.searchUnits, 1, "search units");
  const { results } = await client.rerank({ ...asked, topN: 1 });
  equal(results.map(({ index }) => index), [answer.results[0].index], "the best one alone");
  return pairScores(answer.results, "index", "relevanceScore");
});

checks.add("CohereClient.rerank: documents come back", {}, async () => {
  const client = new CohereClient({ token: key, environment: url });
  const { results } = await client.rerank({ ...asked, returnDocuments: true });
  for (const { index, document } of results) {
    equal(document.text, samples.passages[index], "a document");
  }
  return pairScores(results, "index", "relevanceScore");
});

const ranked = (rest) => {
  const cohere = createCohere({ baseURL: `${url}/v2`, apiKey: key });
  const model = cohere.reranking(models.reranker);
  return rerank({ ...asked, model, maxRetries: 0, ...rest });
};

checks.add("ai's rerank through @ai-sdk/cohere", {}, async () => {
  const { ranking, rerankedDocuments, response } = await ranked();
  expect(response.id, "the answer has no id");
  equal(rerankedDocuments[0], samples.passages[ranking[0].originalIndex], "the best document");
  return pairScores(ranking, "originalIndex", "score");
});

checks.add("ai's rerank through @ai-sdk/cohere: topN, objects", {}, async () => {
  const whole = await ranked();
  const { ranking } = await ranked({ topN: 1 });
  const best = whole.ranking[0].originalIndex;
  equal(ranking.map(({ originalIndex }) => originalIndex), [best], "the best one alone");
  const documents = samples.passages.map((passage) => ({ passage }));
  pairScores((await ranked({ documents })).ranking, "originalIndex", "score");
});

await checks.run();
