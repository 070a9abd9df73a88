import { checkInteger, type GPT2 } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { inputLines } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { addModelOptions, loadFrom, type ModelFlags, parseInteger } from "./model-options.ts";
import { writeOut } from "./output.ts";
import { addProfileOption, profiled } from "./profile.ts";
import { oneLine } from "./report.ts";
import { type Entry, parseLine } from "./score-line.ts";

/** Tokens that are collected before they are scored, in one pass over the weights. */
const TOKENS_AT_ONCE = 1024;

interface ScoreFlags extends ModelFlags {
  readonly stride?: number;
  readonly profile?: true;
}

/** `gpt2 score`: JSON Lines in, JSON Lines out. */
export function scoreCommand(): Command {
  return addProfileOption(addModelOptions(new Command("score")))
    .description("score texts: a line of JSON in, a line of JSON out")
    .option(
      "--stride <count>",
      "score texts longer than the context, through windows so many tokens apart",
      parseInteger,
    )
    .addHelpText(
      "after",
      '\nIn, on standard input: {"text": …} or {"ids": […]}; other keys are passed through.' +
        "\nOut, in the same order: {ids, tokens, logprobs, logLikelihood, perplexity, bitsPerByte}, with natural logarithms;" +
        "\nlogprobs are those of the tokens from the second on. A text of fewer than two tokens has logLikelihood 0, and null" +
        "\nfor the last two.",
    )
    .action((flags: ScoreFlags) => interruptible((signal) => score(flags, signal)));
}

async function score(flags: ScoreFlags, signal: AbortSignal): Promise<void> {
  checkInteger("stride", flags.stride, 1);
  using model = await loadFrom(flags, signal);
  checkInteger("stride", flags.stride, 1, model.config.nPositions - 1);
  await profiled(flags.profile, model, () => scoreLines(model, flags, signal));
}

async function scoreLines(model: GPT2, flags: ScoreFlags, signal: AbortSignal): Promise<void> {
  let lineNumber = 0;
  for await (const lines of inputLines(signal)) {
    let waiting: Entry[] = [];
    let tokens = 0;
    const flush = async (): Promise<void> => {
      await writeScores(model, waiting, flags.stride, signal);
      waiting = [];
      tokens = 0;
    };
    for (const line of lines) {
      lineNumber++;
      let entry: Entry;
      try {
        entry = parseLine(line, model, flags.stride);
      } catch (error) {
        await flush(); // lines before the mistake are answered
        throw new Error(`line ${lineNumber}: ${oneLine(error)}`, { cause: error });
      }
      if (tokens + entry.ids.length > TOKENS_AT_ONCE) await flush();
      waiting.push(entry);
      tokens += entry.ids.length;
    }
    await flush(); // the next lines may take long to come
  }
}

async function writeScores(
  model: GPT2,
  entries: readonly Entry[],
  stride: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const scores = await model.scoreAll(
    entries.map(({ ids }) => ids),
    { stride, signal },
  );
  const lines = scores.map((result, i) => `${JSON.stringify({ ...entries[i]!.others, ...result })}\n`);
  if (lines.length > 0) await writeOut(lines.join(""));
}
