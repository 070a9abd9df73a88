import { accuracy, areaUnder, chooseThreshold, rocCurve, THRESHOLD_RULE } from "../classifier.ts";
import type { CourseData, StringSet } from "../data/course-data.ts";
import { perCharacter, perCharacters } from "../likelihood.ts";
import type { ClassificationResults, LikelihoodResults } from "../results.ts";
import { scoreWithProgress } from "./likelihoods.ts";
import { type Setting, writeOutput } from "./setting.ts";

const FILE = "classification.jsonl";

const RULE = `The first, third, fifth … text of each set chooses the threshold, the others test it. ${THRESHOLD_RULE}`;

/**
 * Checks that there are texts for both halves.
 * @throws RangeError that names the set which has too few
 */
export function checkHalves({ random, shakespeare, papers }: CourseData): void {
  expectTwo(random);
  expectTwo(papers.texts.length > shakespeare.texts.length ? papers : shakespeare);
}

function expectTwo({ name, texts }: StringSet): void {
  if (texts.length >= 2) return;
  const two = "at least two texts, one to choose the threshold and one to test it";
  throw new RangeError(`classification: expected ${two}; the set ${JSON.stringify(name)} has ${texts.length}`);
}

/**
 * Problem 6.5: chooses a threshold from one half of the labelled sets, tests it on the other, and labels the mixed texts.
 *
 * @param likelihoods of the random set, and of real ones
 * @throws RangeError for sets from which no threshold can be chosen
 */
export async function runClassification(setting: Setting, { sets }: LikelihoodResults): Promise<ClassificationResults> {
  const [random, ...real] = sets.map(perCharacters);
  const training = { random: odd(random!), real: real.flatMap(odd) };
  const heldOut = { random: even(random!), real: real.flatMap(even) };
  const threshold = chooseThreshold(training.random, training.real);
  const roc = rocCurve(heldOut.random, heldOut.real);
  return {
    rule: RULE,
    threshold,
    training: { random: training.random.length, real: training.real.length },
    heldOut: {
      random: heldOut.random.length,
      real: heldOut.real.length,
      accuracy: accuracy(heldOut.random, heldOut.real, threshold),
      auc: areaUnder(roc),
      roc,
    },
    mixed: await labelMixed(setting, threshold),
  };
}

async function labelMixed(setting: Setting, threshold: number): Promise<ClassificationResults["mixed"]> {
  const { texts, labels } = setting.data.mixed;
  const values = await scoreWithProgress(setting, texts, "mixed");
  const scores = values.map((value, i) => perCharacter(value, texts[i]!));
  const random = scores.map((score) => score < threshold);
  const lines = texts.map((text, i) =>
    JSON.stringify({ text, random: random[i], logLikelihoodPerCharacter: scores[i] }),
  );
  await writeOutput(setting, FILE, lines.map((line) => `${line}\n`).join(""));
  const right = labels && random.filter((label, i) => label === labels[i]).length / labels.length;
  return { file: FILE, random, accuracy: right };
}

function odd(scores: readonly number[]): number[] {
  return scores.filter((_, i) => i % 2 === 0); // the first, the third, …
}

function even(scores: readonly number[]): number[] {
  return scores.filter((_, i) => i % 2 === 1);
}
