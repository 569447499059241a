// Every call of cloudflare that the server answers, in whichever version is installed.
// It runs beside the package, as a user's own module would.

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import Cloudflare from "cloudflare";
import { Checks, equal, expect, sumToOne } from "./checking.mjs";
import { pairScores } from "./passages.mjs";

const installed = new URL("./node_modules/cloudflare/package.json", import.meta.url);
const version = JSON.parse(readFileSync(installed, "utf8")).version.split(".").map(Number);
const { url, key, models, samples, sense } = JSON.parse(readFileSync(0, "utf8"));
const account_id = "0123456789abcdef0123456789abcdef";
const reranking = {
  query: samples.query,
  contexts: samples.passages.map((text) => ({ text })),
};
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const POLLS = 100;
const PAUSE_MS = 100; // between two: a batch is answered within a second, and nobody is told when

const checks = new Checks(version);

const pointed = { baseURL: `${url}/client/v4`, maxRetries: 0, timeout: 30_000 };
const client = (token = key) => new Cloudflare({ apiToken: token, ...pointed });
const clientOfAPerson = (apiKey = key) =>
  new Cloudflare({ apiEmail: "someone@example.org", apiKey, ...pointed });
const run = (model, input, options) =>
  client().ai.run(models[model], { account_id, ...input }, options);

/** Read labels and scores as they stand. */
const rawScores = (answer) => Object.fromEntries(answer.map(({ label, score }) => [label, score]));

/** Read a classification, in the order of the classes; `best` has to win where the model can know. */
function labelScores(answer, best) {
  expect(Array.isArray(answer), `expected an array, found ${JSON.stringify(answer)}`);
  for (const { label, score } of answer) {
    equal([typeof label, typeof score], ["string", "number"], "the types of label and score");
  }
  const scores = rawScores(answer);
  sumToOne(scores);
  if (best) {
    equal(Object.keys(scores), ["NEGATIVE", "POSITIVE"], "the labels, in the model's order");
    equal(scores.POSITIVE > scores.NEGATIVE, best === "POSITIVE", `whether ${best} wins`);
  }
  return scores;
}

/** Run through an iterator that asks for page after page. */
async function all(pages) {
  const found = [];
  for await (const each of pages) found.push(each);
  return found;
}

/** Ask after a batch until it is answered. */
async function responsesOf(request_id, query) {
  for (let poll = 0; poll < POLLS; poll++) {
    const { status, responses } = await run("classifier", { request_id }, { query });
    if (responses) return responses;
    expect(["queued", "running"].includes(status), `the status is ${status}`);
    await pause(PAUSE_MS);
  }
  throw new Error(`the batch was not answered within ${(POLLS * PAUSE_MS) / 1000} s`);
}

/** Demand an exception of this kind, with the server's code and words. */
async function refused(kind, code, text, call) {
  const error = await call().then(
    () => expect(false, "expected an exception, and nothing was thrown"),
    (thrown) => thrown,
  );
  expect(error instanceof kind, `expected ${kind.name}, found ${error?.stack}`);
  equal(error.errors.map((each) => each.code), [code], "the code");
  const [{ message }] = error.errors;
  expect(message.includes(text), `expected ${text}, found ${message}`);
}

checks.add("ai.run({ text })", {}, async () => {
  const answer = await run("classifier", { text: samples.liked });
  return { "a text": labelScores(answer, sense.liked) };
});

checks.add("ai.run({ query, contexts, top_k }): reranking", {}, async () => {
  const answer = await run("ranker", reranking);
  const best = await run("ranker", { ...reranking, top_k: 1 });
  const [{ id }] = answer.response;
  equal(best.response.map((each) => each.id), [id], "the best one alone");
  return pairScores(answer.response, "id", "score");
});

checks.add("ai.run with the query queueRequest: a batch, asked after until it is answered", {}, async () => {
  const query = { queueRequest: "true" };
  const requests = [
    { text: samples.disliked, external_reference: "first" },
    { text: samples.liked },
    { text: "" },
  ];
  const queued = await run("classifier", { requests }, { query });
  equal([queued.status, queued.model], ["queued", models.classifier], "status, model");
  const responses = await responsesOf(queued.request_id, query);
  equal(responses.map(({ id }) => id), [0, 1, 2], "the inputs");
  const [first, second, empty] = responses;
  equal(first.external_reference, "first", "the caller's own name for it");
  equal([first.success, empty.success], [true, false], "success");
  equal(empty.errors[0].code, 5006, "the code of an empty text");
  return {
    "the first of a list": rawScores(first.result),
    "a text": rawScores(second.result),
  };
});

checks.add("ai.run().withResponse(): the request's id", {}, async () => {
  const { data, response } = await run("classifier", { text: samples.liked }).withResponse();
  const id = response.headers.get("cf-ai-req-id");
  expect(UUID.test(id), `expected a UUID, found ${id}`);
  equal(response.headers.get("content-type"), "application/json", "the type");
  return { "a text": labelScores(data) };
});

checks.add("post(path, { body })", {}, async () => {
  const path = `/accounts/${account_id}/ai/run/${models.classifier}`;
  const answer = await client().post(path, { body: { text: samples.liked } });
  equal([answer.success, answer.errors], [true, []], "success, errors");
  return { "a text": rawScores(answer.result) };
});

checks.add("apiEmail and apiKey", {}, async () => {
  const asked = { account_id, text: samples.liked };
  const answer = await clientOfAPerson().ai.run(models.classifier, asked);
  return { "a text": labelScores(answer, sense.liked) };
});

checks.add("CLOUDFLARE_BASE_URL and CLOUDFLARE_API_TOKEN", {}, async () => {
  // A program that is not changed at all.
  const told = { CLOUDFLARE_BASE_URL: `${url}/client/v4`, CLOUDFLARE_API_TOKEN: key };
  Object.assign(process.env, told);
  const { ai } = new Cloudflare();
  for (const name of Object.keys(told)) delete process.env[name];
  const answer = await ai.run(models.classifier, { account_id, text: samples.liked });
  return { "a text": labelScores(answer, sense.liked) };
});

checks.add("ai.models.list: in pages, narrowed", {}, async () => {
  const named = async (query) =>
    (await all(client().ai.models.list({ account_id, ...query }))).map(({ name }) => name);
  const everything = await named({});
  for (const model of [models.classifier, models.ranker]) {
    expect(everything.includes(model), `no ${model} in ${everything}`);
  }
  equal(await named({ per_page: 1 }), everything, "the models, one on a page");
  equal(await named({ task: "Text Classification" }), everything, "the models of the task");
  equal(await named({ search: models.classifier }), [models.classifier], "the one searched for");
  equal(await named({ task: "Translation" }), [], "the models of another task");
});

checks.add("ai.models.schema.get", {}, async () => {
  for (const [model, demanded] of [["classifier", ["text"]], ["ranker", ["query", "contexts"]]]) {
    const found = await client().ai.models.schema.get({ account_id, model: models[model] });
    equal(found.input.required, demanded, `what a ${model} demands`);
    expect("type" in found.output, `no type in ${JSON.stringify(found.output)}`);
  }
});

checks.add("ai.tasks.list, ai.authors.list, ai.finetunes.list, ai.finetunes.public.list", {}, async () => {
  const { ai } = client();
  const tasks = await all(ai.tasks.list({ account_id }));
  equal(tasks.map(({ name }) => name), ["Text Classification"], "the tasks");
  expect((await all(ai.authors.list({ account_id }))).length > 0, "no author is listed");
  equal(await ai.finetunes.list({ account_id }), [], "the finetunes");
  equal(await all(ai.finetunes.public.list({ account_id })), [], "the public finetunes");
});

checks.add("user.tokens.verify, accounts.tokens.verify", {}, async () => {
  for (const { id, status } of [
    await client().user.tokens.verify(),
    await client().accounts.tokens.verify({ account_id }),
  ]) {
    equal(status, "active", "the status");
    expect(id, "the key has no id");
  }
});

checks.add("a BadRequestError: a list for a text, an empty text, an unknown model", {}, async () => {
  const { BadRequestError } = Cloudflare;
  const mistyped = "Type mismatch of '/text', 'array' not in 'string'";
  await refused(BadRequestError, 5006, mistyped, () => run("classifier", { text: ["a text"] }));
  const tooShort = "Length of '/text' must be >= 1";
  await refused(BadRequestError, 5006, tooShort, () => run("classifier", { text: "" }));
  const unknown = "AiError: No such model";
  await refused(BadRequestError, 5007, unknown, () => run("unknown", { text: "a text" }));
});

checks.add("an AuthenticationError: a wrong key, by itself and with an address", {}, async () => {
  const kind = Cloudflare.AuthenticationError;
  for (const stranger of [client("wrong"), clientOfAPerson("wrong")]) {
    const asked = { account_id, text: "a text" };
    for (const call of [
      () => stranger.ai.run(models.classifier, asked),
      () => stranger.user.tokens.verify(),
    ]) {
      await refused(kind, 10000, "Authentication error", call);
    }
  }
  const { status } = await client().user.tokens.verify();
  equal(status, "active", "the status of the right key");
});

checks.add("a model that has to be loaded first", {}, async () => {
  return { "a cold model's text": labelScores(await run("cold", { text: "a text" })) };
});

await checks.run();
