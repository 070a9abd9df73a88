import { checkInteger, type GPT2 } from "@gpt2-ts/gpt2";
import { Command, Option } from "commander";
import { announceInput } from "./input.ts";
import { inputLines, LONGEST_LINE } from "./input-lines.ts";
import { interruptible } from "./interruption.ts";
import { addModelOptions, loadFrom, type ModelFlags, parseInteger, specialTokensOption } from "./model-options.ts";
import { writeOut } from "./output.ts";
import { addProfileOption, profiled } from "./profile.ts";
import { oneLine } from "./report.ts";
import { idsOf, type LineOptions, readLine } from "./score-line.ts";
import { joined, outputLine, type Report } from "./score-output.ts";

/** Tokens that are collected before they are scored, in one pass over the weights. */
const TOKENS_AT_ONCE = 1024;

interface ScoreFlags extends ModelFlags {
  readonly stride?: number;
  readonly top?: number;
  readonly specialTokens?: true;
  readonly resultKey?: string;
  readonly onError: "stop" | "report";
  readonly profile?: true;
}

/** What is written for a line: the score of its tokens, or what is wrong with it. */
interface Answer {
  /** The members that are passed through, as JSON. */
  readonly others: string;
  readonly ids?: readonly number[];
  readonly report?: Report;
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
    .option("--top <count>", "write so many of the likeliest tokens in each place too", parseInteger)
    .addOption(specialTokensOption("a text"))
    .option("--result-key <key>", "write the result as an object under this key, beside the line's own keys")
    .addOption(
      new Option("--on-error <what>", "at a line that cannot be used: stop, or report it in the output and go on")
        .choices(["stop", "report"])
        .default("stop"),
    )
    .addHelpText(
      "after",
      '\nIn, on standard input: {"text": …} or {"ids": […]}; lines of blanks are skipped. Other keys are passed through as they' +
        "\nare written; a key of the output among them is an error, unless --result-key gives the result a place of its own." +
        "\nOut, in the same order: {ids, tokens, logprobs, logLikelihood, perplexity, bitsPerByte}, with natural logarithms;" +
        "\nlogprobs are those of the tokens from the second on. A text of fewer than two tokens has logLikelihood 0, and null" +
        "\nfor the last two." +
        "\n--top: alternatives too, for each of logprobs a list of {id, token, logprob}, the likeliest first." +
        "\n--on-error report: {line, error} for a line that cannot be used, with its other keys if it could be read; the exit" +
        "\nstatus is 1 if there was one.",
    )
    .action((flags: ScoreFlags) => interruptible((signal) => score(flags, signal)));
}

async function score(flags: ScoreFlags, signal: AbortSignal): Promise<void> {
  checkInteger("stride", flags.stride, 1);
  checkInteger("top", flags.top, 1);
  using model = await loadFrom(flags, signal);
  checkInteger("stride", flags.stride, 1, model.config.nPositions - 1);
  await profiled(flags.profile, model, () => scoreLines(model, flags, signal));
}

async function scoreLines(model: GPT2, flags: ScoreFlags, signal: AbortSignal): Promise<void> {
  const report = flags.onError === "report";
  const options: LineOptions = { ...flags, report };
  let waiting: Answer[] = [];
  let tokens = 0;
  let scored = 0;
  let failed = 0;
  const flush = async (): Promise<void> => {
    const answers = waiting;
    waiting = [];
    tokens = 0;
    await writeAnswers(model, answers, flags, signal);
  };
  announceInput("lines of JSON");
  for await (const lines of inputLines(signal)) {
    for (const { number, bytes } of lines) {
      let others = "";
      let ids: readonly number[];
      try {
        if (bytes === undefined) throw new Error(`it is longer than ${LONGEST_LINE} bytes`);
        const line = readLine(bytes, options);
        if (line === undefined) continue;
        others = line.others;
        ids = idsOf(line, model, options);
      } catch (error) {
        const problem = oneLine(error);
        if (!report) {
          await flush(); // lines before the mistake are answered
          throw new Error(`line ${number}: ${problem}`, { cause: error });
        }
        failed++;
        waiting.push({ others, report: { line: number, error: problem } });
        continue;
      }
      if (tokens + ids.length > TOKENS_AT_ONCE) await flush();
      waiting.push({ others, ids });
      tokens += ids.length;
      scored++;
    }
    await flush(); // the next lines may take long to come
  }
  if (failed > 0) throw new Error(`${failed} of ${failed + scored} lines could not be scored`);
}

async function writeAnswers(
  model: GPT2,
  answers: readonly Answer[],
  { stride, top, resultKey }: ScoreFlags,
  signal: AbortSignal,
): Promise<void> {
  const texts = answers.flatMap(({ ids }) => (ids ? [ids] : []));
  const scores = (await model.scoreAll(texts, { stride, top, signal })).values();
  const lines = function* (): Generator<string> {
    for (const { others, report } of answers) yield* outputLine(others, report ?? scores.next().value!, resultKey);
  };
  for (const piece of joined(lines())) await writeOut(piece);
}
