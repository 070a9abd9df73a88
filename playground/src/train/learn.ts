import { GPT2, initialModel, parameterCount, Tokenizer, trainBPE } from "@gpt2-ts/gpt2";
import { encodeDocuments, modelFiles, newConfig, train } from "@gpt2-ts/gpt2/train";
import { createWasmBackend } from "@gpt2-ts/tensor";
import type { FolderFiles, Report, Training } from "./protocol.ts";
import { trainingOptions } from "./settings.ts";
import { splitText } from "./texts.ts";

/** Tokens of a sample. */
const SAMPLE = 60;
/** Milliseconds from one report of the vocabulary to the next. */
const REPORT_EVERY = 100;

/** Who trains. */
export interface Learning {
  readonly signal: AbortSignal;
  report(message: Report): void;
  /** Called once there is a model, with what makes files of it; they are whole between two steps only. */
  onModel(files: () => Promise<FolderFiles>): void;
  /** Waited for after each step. */
  betweenSteps(): Promise<void>;
}

/**
 * Trains a model of random numbers on a text: a vocabulary, tokens, steps, and a sample with each look at the held-out text. Training and
 * text give the same bits in every browser.
 *
 * @throws what the library throws; the signal's reason when aborted
 */
export async function learn({ text, prompt, settings }: Training, learning: Learning): Promise<void> {
  const { signal, report, onModel, betweenSteps } = learning;
  const [shown, hidden] = splitText(text);
  let reported = 0;
  const learned = await trainBPE(shown, {
    vocabSize: settings.vocabulary,
    signal,
    onProgress: ({ merges, totalMerges }) => {
      if (performance.now() - reported < REPORT_EVERY) return;
      reported = performance.now();
      report({ type: "vocabulary", share: merges / totalMerges });
    },
  });
  const vocabulary = learned.toFiles();
  const tokenizer = Tokenizer.fromVocab(vocabulary);
  const { ids: ofShown } = await encodeDocuments([shown], tokenizer, { signal });
  const { ids: heldOut } = await encodeDocuments([hidden], tokenizer, { signal });
  const { vocabSize, endOfText } = tokenizer;
  const config = newConfig({ ...settings, vocabSize, endOfText });
  const device = createWasmBackend({ deterministic: true });
  const gpt2 = new GPT2(initialModel(config, { seed: settings.seed, device }), tokenizer);
  onModel(() => modelFiles(gpt2.model, vocabulary));
  report({
    type: "begin",
    parameters: parameterCount(config),
    vocabulary: vocabSize,
    trainTokens: ofShown.length,
    heldOutTokens: heldOut.length,
    threads: device.info().threads,
  });
  await train(
    gpt2.model,
    { train: ofShown, heldOut },
    {
      ...trainingOptions(settings),
      signal,
      async onProgress(progress) {
        report({ type: "progress", progress });
        if (progress.type === "evaluation") {
          const sampling = { maxTokens: SAMPLE, temperature: 0.8, seed: 1, signal };
          const { text } = await gpt2.generate(prompt, sampling);
          report({ type: "sample", step: progress.step, prompt, text });
        }
        await betweenSteps();
      },
    },
  );
}
