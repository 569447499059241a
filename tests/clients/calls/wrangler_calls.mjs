// Workers in `wrangler dev`: that of Cloudflare's documentation over each generation of
// `@cloudflare/ai`, and one that asks the binding itself.

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Checks, compare, equal, expect, sumToOne } from "./checking.mjs";
import { pairScores } from "./passages.mjs";

const START_MS = 60_000; // seconds on an idle machine
const END_MS = 5_000; // until it is killed
const PAUSE_MS = 200;
const LOG_CHARACTERS = 1500; // of wrangler's log, where a Worker did not answer
// Those before 1.0.35 ask a relative address, which workerd refuses.
const GENERATIONS = ["1.2.2", "1.1.0", "1.0.53", "1.0.35"];
const RPC_SINCE = "2024-04-05"; // from this date on, a binding to another Worker has methods

const here = fileURLToPath(new URL(".", import.meta.url)); // .venv-clients/<environment>
const modules = join(here, "node_modules");
const workers = resolve(here, "../../tests/clients/calls/workers");
const standIn = resolve(here, "../../docs/ai-binding");

const version = JSON.parse(fs.readFileSync(join(modules, "wrangler/package.json"), "utf8"))
  .version.split(".")
  .map(Number);
const { url, key, models, samples, sense } = JSON.parse(fs.readFileSync(0, "utf8"));
const account = "0123456789abcdef0123456789abcdef";

// The binding of wrangler 3 can be pointed at earmark; later, a Worker stands in for it.
const pointed = compare(version, [4]) < 0;
const itsOwn = join(modules, "node/bin/node");
const node = fs.existsSync(itsOwn) ? itsOwn : process.execPath;

const checks = new Checks(version);

/** Ask the same of the REST address. */
async function overRest(text) {
  const address = `${url}/client/v4/accounts/${account}/ai/run/${models.classifier}`;
  const answer = await fetch(address, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ text }),
  });
  return (await answer.json()).result;
}

const byLabel = (answer) => Object.fromEntries(answer.map(({ label, score }) => [label, score]));

/** Make a folder for a Worker as a person would, with its configuration. */
function project(name, main) {
  const folder = fs.mkdtempSync(resolve(`${name}-`)); // in a home that is thrown away
  fs.cpSync(join(workers, main), join(folder, main));
  const binding = pointed
    ? ["[ai]", 'binding = "AI"']
    : ["[[services]]", 'binding = "AI"', 'service = "earmark-ai"'];
  const lines = [`name = "${name}"`, `main = "${main}"`, `compatibility_date = "${RPC_SINCE}"`];
  fs.writeFileSync(join(folder, "wrangler.toml"), [...lines, ...binding, ""].join("\n"));
  return folder;
}

/** Put a package where the Worker's `import` finds it. */
function install(folder, name, from = name) {
  const place = join(folder, "node_modules", name);
  fs.mkdirSync(dirname(place), { recursive: true });
  fs.symlinkSync(join(modules, from), place);
}

/** Copy the Worker that stands in for the binding, and tell it where the server is. */
function besideIt(folder) {
  const copy = join(folder, "ai-binding");
  fs.cpSync(standIn, copy, { recursive: true });
  fs.writeFileSync(join(copy, ".dev.vars"), `EARMARK_URL=${url}\nEARMARK_KEY=${key}\n`);
  return ["-c", "wrangler.toml", "-c", "ai-binding/wrangler.toml"];
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Start `wrangler dev`, send one request to its Worker, and stop it. */
async function answerOf(folder, body) {
  const port = await freePort();
  const log = join(folder, "log.txt");
  const flags = ["--ip", "127.0.0.1", "--port", port, "--inspector-port", await freePort()];
  const words = ["dev", ...flags, ...(pointed ? [] : besideIt(folder))];
  const output = fs.openSync(log, "w");
  const running = spawn(node, [join(modules, "wrangler/bin/wrangler.js"), ...words], {
    cwd: folder,
    stdio: ["ignore", output, output],
    env: {
      ...process.env,
      CI: "1", // asks nothing
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      CLOUDFLARE_API_BASE_URL: `${url}/client/v4`,
      CLOUDFLARE_ACCOUNT_ID: account,
      CLOUDFLARE_API_TOKEN: key,
    },
  });
  const ended = new Promise((done) => running.once("exit", done));
  try {
    const answer = await firstAnswer(running, `http://127.0.0.1:${port}/`, body);
    const found = await answer?.text();
    expect(answer?.ok, `${found}\n${fs.readFileSync(log, "utf8").slice(-LOG_CHARACTERS)}`);
    return JSON.parse(found);
  } finally {
    running.kill("SIGTERM");
    await Promise.race([ended, pause(END_MS, null, { ref: false })]);
    running.kill("SIGKILL");
  }
}

async function firstAnswer(running, address, body) {
  const until = Date.now() + START_MS;
  while (Date.now() < until && running.exitCode === null) {
    try {
      return await fetch(address, {
        method: body ? "POST" : "GET",
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(Math.max(until - Date.now(), 1)),
      });
    } catch {
      await pause(PAUSE_MS); // it does not listen yet
    }
  }
  return null;
}

for (const generation of GENERATIONS) {
  checks.add(`the documentation's Worker, @cloudflare/ai ${generation}`, {}, async () => {
    const folder = project(`documented-${generation.replaceAll(".", "-")}`, "documented.ts");
    install(folder, "@cloudflare/ai", `ai-${generation}`);
    const answer = await answerOf(folder);
    equal(answer, await overRest("This pizza is great!"), "what REST answers");
    equal(answer.map(({ label }) => label), ["NEGATIVE", "POSITIVE"], "the labels");
    sumToOne(byLabel(answer));
    return { "a pizza": byLabel(answer) };
  });
}

checks.add("env.AI: run, models, and an error", {}, async () => {
  const { classifier, ranker } = models;
  const { liked, query, passages } = samples;
  const asked = { classifier, ranker, text: liked, query, passages };
  const found = await answerOf(project("binding", "binding.mjs"), asked);
  const scores = byLabel(found.scores);
  expect(scores[sense.liked] > 0.5, `${JSON.stringify(scores)} is not ${sense.liked}`);
  equal(found.models, [classifier], "the models that are called so");
  const message = "5006: Bad input: Error: Length of '/text' must be >= 1";
  // On its way from one Worker to another, an exception loses its name to its message.
  const thrown = pointed
    ? { name: "AiError", message }
    : { name: "Error", message: `AiError: ${message}` };
  equal(found.error, thrown, "the exception");
  return { "a text": scores, ...pairScores(found.ranking.response, "id", "score") };
});

// The runtime of earlier ones sends no header that says that the caller is a Worker.
checks.add("a Worker with an old @huggingface/inference", { since: [4] }, async () => {
  const folder = project("inference", "inference.mjs");
  install(folder, "@huggingface/inference");
  const { refund, labels } = samples;
  const endpoint = `${url}/models/${models.zero_shot}`;
  const [{ sequence, ...ranked }] = await answerOf(folder, { endpoint, key, text: refund, labels });
  equal(sequence, refund, "the sequence");
  equal(ranked.labels[0], sense.zero_shot, "the best label");
  const scores = ranked.labels.map((label, index) => [label, ranked.scores[index]]);
  return { "a ranking": Object.fromEntries(scores) };
});

await checks.run();
