// Rankings of the sample passages, whatever their members are called.

import { equal } from "./checking.mjs";

/**
 * Demand both passages, best first; their scores, as whoever asks for pairs gets them.
 * `place` is the member that says which passage an entry is, `score` how well it answers.
 */
export function pairScores(ranked, place, score) {
  const scores = ranked.map((each) => each[score]);
  equal(scores, scores.toSorted((one, other) => other - one), "the order of scores");
  equal(ranked.map((each) => each[place]).sort(), [0, 1], "the passages");
  const byPlace = Object.fromEntries(ranked.map((each) => [each[place], { LABEL_0: each[score] }]));
  return { "a pair": byPlace[0], "a pair, 2": byPlace[1] };
}
