import type { StringSet } from "../data/course-data.ts";
import { characters, logLikelihoods } from "../likelihood.ts";
import type { LikelihoodResults, SetLikelihoods, TokenStrip } from "../results.ts";
import { type Setting, writeOutput } from "./setting.ts";

/** Problem 6.4: the likelihood of each text of the three sets, and of each token of the first text of Shakespeare. */
export async function runLikelihoods(setting: Setting): Promise<LikelihoodResults> {
  const { random, shakespeare, papers } = setting.data;
  const sets: SetLikelihoods[] = [];
  for (const set of [random, shakespeare, papers]) sets.push(await likelihoodsOf(setting, set));
  return { sets, strip: await tokenStrip(setting, shakespeare.texts[0]!) };
}

/** Writes the raw values, a line for each text. */
export async function writeLikelihoods(setting: Setting, { sets }: LikelihoodResults): Promise<void> {
  for (const { file, logLikelihoods } of sets) {
    await writeOutput(setting, file, logLikelihoods.map((value) => `${value}\n`).join(""));
  }
}

async function likelihoodsOf(setting: Setting, { name, title, texts }: StringSet): Promise<SetLikelihoods> {
  const values = await scoreWithProgress(setting, texts, name);
  return {
    name,
    title,
    file: `likelihood_${name}.txt`,
    logLikelihoods: values,
    characters: texts.map(characters),
  };
}

/** {@link logLikelihoods} of texts that are called `label`. */
export async function scoreWithProgress(
  { model, signal, progress }: Setting,
  texts: readonly string[],
  label: string,
): Promise<number[]> {
  progress.start(texts.length);
  const onProgress = ({ scored }: { readonly scored: number }): void => progress.update(scored, `${label}, texts`);
  const values = await logLikelihoods(model, texts, { signal, onProgress });
  progress.stop();
  return values;
}

/** As much of the text as the context holds. */
async function tokenStrip({ model, signal }: Setting, text: string): Promise<TokenStrip> {
  const ids = model.tokenizer.encode(text).slice(0, model.config.nPositions);
  const { tokens, logprobs } = await model.score(ids, { signal });
  return {
    text: model.tokenizer.decode(ids),
    tokens: tokens.map((token, i) => ({ text: token, logprob: i === 0 ? undefined : logprobs[i - 1] })),
  };
}
