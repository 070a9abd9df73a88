import { Command } from "commander";
import { ContextLengthError, TokenIdError } from "../errors.ts";
import type { GPT2 } from "../gpt2.ts";
import { checkInteger } from "../options.ts";
import { decodeStrictly, inputLines } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { addModelOptions, loadFrom, type ModelFlags, parseInteger } from "./model-options.ts";
import { writeOut } from "./output.ts";
import { oneLine } from "./report.ts";

/** Tokens that are gathered before they are scored: one pass over the weights. */
const TOKENS_AT_ONCE = 1024;

interface ScoreFlags extends ModelFlags {
  readonly stride?: number;
}

/** A line of input, understood. */
interface Entry {
  readonly ids: readonly number[];
  /** Its keys other than `text` and `ids`. */
  readonly others: Readonly<Record<string, unknown>>;
}

/** `gpt2 score`: JSON Lines in, JSON Lines out. */
export function scoreCommand(): Command {
  return addModelOptions(new Command("score"))
    .description("score texts: a line of JSON in, a line of JSON out")
    .option("--stride <count>", "score texts past the context through windows so many tokens apart", parseInteger)
    .addHelpText(
      "after",
      '\nIn, on standard input: {"text": …} or {"ids": […]}; other keys are passed through.' +
        "\nOut, in the same order: {ids, tokens, logprobs, logLikelihood, perplexity, bitsPerByte}, with natural logarithms;" +
        "\nlogprobs are those of the second to the last token. A text of fewer than two tokens has logLikelihood 0, and null" +
        "\nfor the last two.",
    )
    .action((flags: ScoreFlags) => interruptible((signal) => score(flags, signal)));
}

async function score(flags: ScoreFlags, signal: AbortSignal): Promise<void> {
  checkInteger("stride", flags.stride, 1);
  using model = await loadFrom(flags, signal);
  checkInteger("stride", flags.stride, 1, model.config.nPositions - 1);
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
        await flush(); // what came before the mistake is answered
        throw new Error(`line ${lineNumber}: ${oneLine(error)}`, { cause: error });
      }
      if (tokens + entry.ids.length > TOKENS_AT_ONCE) await flush();
      waiting.push(entry);
      tokens += entry.ids.length;
    }
    await flush(); // not kept for lines that may be long in coming
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

function parseLine(line: Uint8Array, model: GPT2, stride: number | undefined): Entry {
  const json = parseJson(decodeStrictly(line, "it").replace(/^\ufeff/, ""));
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error(EXPECTED);
  const { text, ids: given, ...others } = json as Readonly<Record<string, unknown>>;
  if ((text === undefined) === (given === undefined)) throw new Error(EXPECTED);
  const ids = given === undefined ? encode(text, model) : checkIds(given, model);
  const { nPositions } = model.config;
  if (stride === undefined && ids.length > nPositions) throw new ContextLengthError(ids.length, nPositions);
  return { ids, others };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`it is not JSON: ${(cause as Error).message}`, { cause });
  }
}

const EXPECTED = 'expected an object with either "text" or "ids"';

function encode(text: unknown, model: GPT2): readonly number[] {
  if (typeof text !== "string") throw new Error('"text" is not a string');
  return model.tokenizer.encode(text);
}

function checkIds(ids: unknown, model: GPT2): readonly number[] {
  if (!Array.isArray(ids)) throw new Error('"ids" is not an array');
  const { vocabSize } = model.config;
  for (const [i, id] of (ids as unknown[]).entries()) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw typeof id === "number" ? new TokenIdError(id, i, vocabSize) : new Error(`"ids"[${i}] is not a number`);
    }
  }
  return ids as number[];
}
