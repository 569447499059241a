// Makes checks one after the other and writes what came of each, a line of JSON, for the report.

const SUM_TOLERANCE = 1e-5; // of scores that sum to one: they are float32

/** The checks that are for the client's version, such as [4, 13, 30]. */
export class Checks {
  #found = [];

  constructor(version) {
    this.version = version;
  }

  /**
   * Take a function as a check; it throws what is wrong and may return what it saw: scores by
   * sample, to be compared with those of other clients.
   */
  add(name, { since = [0], before = [1000] }, call) {
    if (compare(since, this.version) <= 0 && compare(this.version, before) < 0) {
      this.#found.push({ name, call });
    }
  }

  /** Make every check, and write a line for each and one for the end. */
  async run() {
    for (const check of this.#found) write(await outcome(check));
    write({ end: this.#found.length });
  }
}

/** Compare two versions: negative, zero or positive. */
export function compare(one, other) {
  for (let index = 0; index < 3; index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference) return difference;
  }
  return 0;
}

/** Demand that something holds. */
export function expect(holds, otherwise) {
  if (!holds) throw new Expected(otherwise);
}

/** Demand that two things are equal, as JSON. */
export function equal(found, expected, what) {
  const [one, other] = [found, expected].map((each) => JSON.stringify(each));
  expect(one === other, `${what}: expected ${other}, found ${one}`);
}

/** Demand that scores sum to one, but for rounding. */
export function sumToOne(scores) {
  const sum = Object.values(scores).reduce((one, other) => one + other, 0);
  expect(Math.abs(sum - 1) <= SUM_TOLERANCE, `the sum of scores: expected 1, found ${sum}`);
}

class Expected extends Error {}

async function outcome({ name, call }) {
  try {
    const seen = Object.entries((await call()) ?? {});
    return { name, seen: seen.map(([sample, scores]) => ({ sample, scores })) };
  } catch (error) {
    const [, line] = /_calls\.mjs:(\d+)/.exec(error?.stack) ?? [];
    const kind = error instanceof Expected ? "" : `${error?.name}: `;
    return { name, state: "failed", problem: `${kind}${error?.message ?? error} (line ${line})` };
  }
}

function write(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
