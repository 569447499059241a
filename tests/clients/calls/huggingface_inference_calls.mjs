// Every method of @huggingface/inference for the three tasks, in whichever version is installed.
// It runs beside the package, as a user's own module would.

import diagnostics from "node:diagnostics_channel";
import { readFileSync } from "node:fs";

import * as inference from "@huggingface/inference";
import { Checks, compare, equal, expect, sumToOne } from "./checking.mjs";

const installed = new URL("./node_modules/@huggingface/inference/package.json", import.meta.url);
const version = JSON.parse(readFileSync(installed, "utf8")).version.split(".").map(Number);
const { url, key, models, samples, sense } = JSON.parse(readFileSync(0, "utf8"));
const pairs = samples.passages.map((passage) => ({ text: samples.query, text_pair: passage }));
const STRATEGIES = ["none", "simple", "first", "average", "max"];
const EMPTY = "You must include at least one label and at least one sequence.";
const Client = inference.InferenceClient ?? inference.HfInference; // its name before 3.3

const checks = new Checks(version);
const since = (...release) => compare(release, version) <= 0;

/** A client of a model, by its address; before 3.8 it wants a name beside it. */
const client = (model, token = key) => new Client(token).endpoint(address(model));
const address = (model) => `${url}/models/${models[model]}`;
const named = (rest) => ({ model: "any", ...rest });

/** Demand labels and scores, best first. */
function scoresOf(answer) {
  expect(Array.isArray(answer), `expected an array, found ${JSON.stringify(answer)}`);
  for (const { label, score } of answer) {
    equal([typeof label, typeof score], ["string", "number"], "the types of label and score");
  }
  const scores = answer.map(({ score }) => score);
  equal(scores, scores.toSorted((one, other) => other - one), "the order of scores");
  return Object.fromEntries(answer.map(({ label, score }) => [label, score]));
}

/** Read a ranking in the form that this version has for it; docs/huggingface.md lists them. */
function rankingOf(answer) {
  if (since(4, 5)) return scoresOf(answer);
  // Versions that do not say who they are get an object for each label, each with the whole ranking.
  equal(answer.length, since(3, 1, 4) ? 1 : answer[0].labels.length, "how many objects there are");
  const [{ sequence, labels, scores }] = answer;
  equal(sequence, samples.refund, "the sequence");
  return scoresOf(labels.map((label, index) => ({ label, score: scores[index] })));
}

/** Demand entities with their places; scores by label and place. */
function entitiesOf(answer) {
  expect(Array.isArray(answer), `expected an array, found ${JSON.stringify(answer)}`);
  for (const { entity_group: group, score, word, start, end } of answer) {
    equal([group, score, word].map((each) => typeof each), ["string", "number", "string"], "types");
    expect(Number.isInteger(start) && start < end, `the place is ${start} to ${end}`);
  }
  return Object.fromEntries(
    answer.map((each) => [`${each.entity ?? each.entity_group} ${each.start}-${each.end}`, each.score]),
  );
}

function sentimentIsSensible(scores, expected) {
  equal(Object.keys(scores).sort(), ["NEGATIVE", "POSITIVE"], "the labels");
  sumToOne(scores);
  equal(Object.keys(scores)[0], expected, "the best label");
}

function rankingIsSensible(scores) {
  equal(Object.keys(scores).sort(), samples.labels.toSorted(), "the labels");
  sumToOne(scores);
  equal(Object.keys(scores)[0], sense.zero_shot, "the best label");
}

function personsAreFound(scores) {
  expect(Object.keys(scores).length > 0, "no entity was found");
  const expected = sense.persons.map(([start, end]) => `PER ${start}-${end}`);
  equal(Object.keys(scores), expected, "the persons");
}

const labels = { candidate_labels: samples.labels };
const zeroShot = (parameters) =>
  client("zero_shot").zeroShotClassification(named({ inputs: samples.refund, parameters }));
const tokens = (parameters, inputs = samples.person) =>
  client("ner").tokenClassification(named({ inputs, parameters }));

checks.add("textClassification", {}, async () => {
  const answer = await client("sentiment").textClassification(named({ inputs: samples.liked }));
  const scores = scoresOf(answer);
  sentimentIsSensible(scores, sense.liked);
  return { "a text": scores };
});

checks.add("textClassification with top_k and function_to_apply", {}, async () => {
  const parameters = { top_k: 1, function_to_apply: "none" };
  const asked = named({ inputs: samples.liked, parameters });
  const scores = scoresOf(await client("sentiment").textClassification(asked));
  equal(Object.keys(scores), [sense.liked], "the labels");
  expect(scores[sense.liked] > 1, "a raw score is a logit");
  return { "a text's raw score": scores };
});

checks.add("textClassification of a pair", {}, async () => {
  const scores = scoresOf(await client("reranker").textClassification(named({ inputs: pairs[0] })));
  equal(Object.keys(scores), ["LABEL_0"], "a reranker's labels");
  return { "a pair": scores };
});

checks.add("textClassification of a list of pairs: a score for each", { since: [3, 1, 4] }, async () => {
  const answers = await client("reranker").textClassification(named({ inputs: pairs }));
  equal(answers.length, pairs.length, "answers to pairs");
  return { "a pair": scoresOf([answers[0]]), "a pair, 2": scoresOf([answers[1]]) };
});

checks.add("textClassification of a list with top_k 1: a label for each", { since: [3, 1, 4] }, async () => {
  const asked = { inputs: [samples.disliked, samples.liked], parameters: { top_k: 1 } };
  const answers = await client("sentiment").textClassification(named(asked));
  equal(answers.map(({ label }) => label), [sense.disliked, sense.liked], "the labels");
});

checks.add("textClassification of a list: the first text's answer", {}, async () => {
  const inputs = [samples.disliked, samples.liked];
  const scores = scoresOf(await client("sentiment").textClassification(named({ inputs })));
  sentimentIsSensible(scores, sense.disliked);
  return { "the first of a list": scores };
});

checks.add("zeroShotClassification", {}, async () => {
  const scores = rankingOf(await zeroShot(labels));
  rankingIsSensible(scores);
  return { "a ranking": scores };
});

checks.add("zeroShotClassification with multi_label", {}, async () => {
  const scores = rankingOf(await zeroShot({ ...labels, multi_label: true }));
  const sum = Object.values(scores).reduce((one, other) => one + other, 0);
  expect(Math.abs(sum - 1) > 1e-3, "the labels share one softmax");
  return { "several labels": scores };
});

checks.add("zeroShotClassification with hypothesis_template", {}, async () => {
  const scores = rankingOf(await zeroShot({ ...labels, hypothesis_template: samples.template }));
  rankingIsSensible(scores);
  return { "a template": scores };
});

checks.add("zeroShotClassification of one label, and of labels in one string", {}, async () => {
  rankingIsSensible(rankingOf(await zeroShot({ candidate_labels: samples.labels.join(", ") })));
  const scores = rankingOf(await zeroShot({ candidate_labels: ["refund"] }));
  equal(Object.keys(scores), ["refund"], "the labels");
  return { "one label": scores };
});

checks.add("zeroShotClassification of a list: a ranking each", { before: [4, 5] }, async () => {
  const inputs = [samples.refund, samples.liked];
  const asked = named({ inputs, parameters: labels });
  const answer = await client("zero_shot").zeroShotClassification(asked);
  equal(answer.map(({ sequence }) => sequence), inputs, "the sequences");
  const [{ labels: names, scores }] = answer;
  return { "a ranking": Object.fromEntries(names.map((name, index) => [name, scores[index]])) };
});

checks.add("tokenClassification", {}, async () => {
  const scores = entitiesOf(await tokens());
  personsAreFound(scores);
  return { entities: scores };
});

checks.add("tokenClassification with aggregation_strategy: all five", {}, async () => {
  const seen = {};
  for (const strategy of STRATEGIES) {
    seen[`entities, ${strategy}`] = entitiesOf(await tokens({ aggregation_strategy: strategy }));
  }
  return seen;
});

checks.add("tokenClassification with ignore_labels and stride", {}, async () => {
  const everything = entitiesOf(await tokens({ ignore_labels: [] }));
  expect(Object.keys(everything).some((label) => label.startsWith("O ")), "no O among them");
  equal(await tokens({ ignore_labels: [] }, ""), [], "an empty text");
  const long = Array(60).fill(samples.person).join(" ");
  const found = await tokens({ stride: 8, ignore_labels: [] }, long);
  equal(found.at(-1).end, long.length, "the end of the last entity of a long text");
  return { everything };
});

checks.add("request: a list of texts, a list of pairs", {}, async () => {
  const inputs = [samples.disliked, samples.liked];
  const [first, second] = await client("sentiment").request(named({ inputs }));
  sentimentIsSensible(scoresOf(second), sense.liked);
  const ranked = await client("reranker").request(named({ inputs: pairs }));
  // In one list for each pair, or, to a version that says its name, in the list that it would keep.
  const answers = ranked.flat();
  equal(answers.length, pairs.length, "answers to pairs");
  return {
    "the first of a list": scoresOf(first),
    "a text": scoresOf(second),
    "a pair": scoresOf([answers[0]]),
    "a pair, 2": scoresOf([answers[1]]),
  };
});

checks.add("streamingRequest: entities one by one", {}, async () => {
  const asked = named({ inputs: samples.person, stream: true });
  const found = [];
  for await (const entity of client("ner").streamingRequest(asked)) found.push(entity);
  const scores = entitiesOf(found);
  personsAreFound(scores);
  return { entities: scores };
});

checks.add("streamingRequest: 400 before the stream begins", {}, () =>
  refused(400, "`parameters.stride`", async () => {
    const asked = named({ inputs: "a text", parameters: { stride: -1 }, stream: true });
    for await (const entity of client("ner").streamingRequest(asked)) {
      throw new Error(`expected none, found ${JSON.stringify(entity)}`);
    }
  }),
);

checks.add("endpointUrl as an argument", {}, async () => {
  const asked = named({ endpointUrl: address("sentiment"), inputs: samples.liked });
  return { "a text": scoresOf(await new Client(key).textClassification(asked)) };
});

checks.add("endpointUrl of the constructor, without a model", { since: [3, 8, 2] }, async () => {
  const pointed = new Client(key, { endpointUrl: address("sentiment") });
  return { "a text": scoresOf(await pointed.textClassification({ inputs: samples.liked })) };
});

checks.add("a client of an id, its requests to the hosted service rerouted", {}, async () => {
  // Look-ups carry only tokens that begin with hf_, so that whoever reroutes has to add the key.
  const rerouted = (asked, { headers, ...rest }) => {
    const { pathname, search } = new URL(asked);
    const admitted = { ...headers, Authorization: `Bearer ${key}` };
    return fetch(`${url}${pathname}${search}`, { ...rest, headers: admitted });
  };
  const hosted = new Client(key, { fetch: rerouted });
  const hub = since(3) ? { provider: "hf-inference" } : {};
  const ask = (method, model, rest) => hosted[method]({ model: models[model], ...hub, ...rest });
  const text = await ask("textClassification", "sentiment", { inputs: samples.liked });
  const asked = { inputs: samples.refund, parameters: labels };
  const ranking = await ask("zeroShotClassification", "zero_shot", asked);
  const entities = await ask("tokenClassification", "ner", { inputs: samples.person });
  return {
    "a text": scoresOf(text),
    "a ranking": rankingOf(ranking),
    entities: entitiesOf(entities),
  };
});

const connections = async () => {
  let opened = 0;
  const count = () => (opened += 1);
  diagnostics.subscribe("undici:client:connected", count);
  for (let call = 0; call < 3; call++) {
    await client("sentiment").textClassification(named({ inputs: samples.liked }));
    const unknown = client("unknown").textClassification(named({ inputs: "a text" }));
    await unknown.catch(() => {});
  }
  diagnostics.unsubscribe("undici:client:connected", count);
  expect(opened <= 1, `${opened} connections were opened for 6 calls`);
};
// Bun and Deno do not tell of their connections.
if (!process.versions.bun && !process.versions.deno) {
  checks.add("one connection for calls in a row", {}, connections);
}

/** Demand an exception of the version's own kind, with the server's status and its text. */
async function refused(status, text, call) {
  const error = await call().then(
    () => expect(false, "expected an exception, and nothing was thrown"),
    (thrown) => thrown,
  );
  if (!since(4)) {
    equal(error.constructor.name, "Error", "the kind of exception");
    const quoted = JSON.stringify(text).slice(0, -1); // by its methods, not by its streams
    const told = [text, quoted].some((start) => error.message.startsWith(start));
    expect(told, `expected ${text}, found ${error.message}`);
    return;
  }
  equal(error.constructor.name, "InferenceClientProviderApiError", "the kind of exception");
  const message = `Failed to perform inference: ${text}`;
  expect(error.message.startsWith(message), `expected ${message}, found ${error.message}`);
  equal(error.httpResponse.status, status, "the status");
  expect(error.httpResponse.requestId.length > 0, "the request has no id");
}

checks.add("400 is the client's exception with the server's text", {}, async () => {
  await refused(400, EMPTY, () =>
    client("zero_shot").zeroShotClassification(named({ inputs: "", parameters: labels })),
  );
  await refused(400, "`parameters.top_k`: expected `int` >= 1", () =>
    client("sentiment").textClassification(named({ inputs: "a text", parameters: { top_k: 0 } })),
  );
});

checks.add("404 is the client's exception with the server's text", {}, () =>
  refused(404, `Model ${models.unknown} does not exist`, () =>
    client("unknown").textClassification(named({ inputs: "a text" })),
  ),
);

checks.add("401 is the client's exception", {}, async () => {
  await refused(401, "Invalid credentials in Authorization header: this access key", () =>
    client("sentiment", "wrong").textClassification(named({ inputs: "a text" })),
  );
  const allowed = await client("sentiment").textClassification(named({ inputs: "a text" }));
  expect(allowed.length === 2, "the right key is refused");
});

// Before 3.4 it asks a second time and to wait; later ones, which ask at once and for ever, are held.
checks.add("a model that has to be loaded first", {}, async () => {
  const answer = await client("cold").textClassification(named({ inputs: "a text" }));
  return { "a cold model's text": scoresOf(answer) };
});

await checks.run();
