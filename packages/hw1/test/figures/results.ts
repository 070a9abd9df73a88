import { Generator } from "@gpt2-ts/tensor";
import { areaUnder, rocCurve } from "../../src/classifier.ts";
import type { Hw1Results, SetLikelihoods, TokenStrip } from "../../src/results.ts";

const generator = new Generator(7);

/** Values around a mean, as likelihoods are. */
export function likelihoods(name: string, title: string, mean: number, count = 100): SetLikelihoods {
  const logLikelihoods = Array.from({ length: count }, () => Math.min(0, mean + 30 * generator.normal()));
  return { name, title, file: `likelihood-${name}.txt`, logLikelihoods, characters: logLikelihoods.map(() => 100) };
}

export const strip: TokenStrip = {
  text: "To be <&\"'> or\n",
  tokens: [
    { text: "To", logprob: undefined },
    { text: " be", logprob: -1.5 },
    { text: ' <&"', logprob: -13 },
    { text: "'>", logprob: -9.25 },
    { text: " or", logprob: -0.001 },
    { text: "\n", logprob: -3 },
  ],
};

const random = Array.from({ length: 40 }, () => -6 + generator.normal());
const real = Array.from({ length: 60 }, () => -3 + generator.normal());
const roc = rocCurve(random, real);

/** Results as a run of all tasks would give them, made up. */
export const results: Hw1Results = {
  model: { name: "made-up", parameters: 957_184, nPositions: 256, vocabSize: 1024, device: "reference" },
  data: ["Random letters: made up.", "Papers: none | at *all*."],
  seed: 20190929,
  samples: [
    {
      file: "samples.txt",
      topK: 40,
      temperature: 1,
      horizon: 1,
      samples: [
        { prompt: "Once", continuation: " upon\n```\na <time> | *and*", ids: [1, 2, 3], finishReason: "length" },
        { prompt: "Twice", continuation: " more", ids: [4], finishReason: "context" },
      ],
    },
    {
      file: "samples_temperature0-95_horizon2.txt",
      topK: 40,
      temperature: 0.95,
      horizon: 2,
      samples: [{ prompt: "Once", continuation: " again", ids: [1], finishReason: "length" }],
    },
  ],
  likelihood: {
    sets: [
      likelihoods("random", "Random letters", -480),
      likelihoods("shakespeare", "Shakespeare", -330),
      likelihoods("papers", "Papers <&\"'> | a *stand-in*", -300, 3),
    ],
    strip,
  },
  classification: {
    rule: "The best one | of all.",
    threshold: -4.5,
    training: { random: 60, real: 140 },
    heldOut: { random: 40, real: 60, accuracy: 0.93, auc: areaUnder(roc), roc },
    mixed: { file: "labels.csv", random: [true, false, true], accuracy: 2 / 3 },
  },
  costs: { k: 40, prefix: 200, plain: 0.002, horizon2: 0.012, naive: 0.082 },
  timings: [{ task: "likelihood", seconds: 1.25 }],
};
