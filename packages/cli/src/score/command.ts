import { checkInteger, OptionError } from "@gpt2-ts/gpt2";
import { Command, InvalidArgumentError, Option } from "commander";
import { amount } from "../amount.ts";
import { announceInput } from "../input.ts";
import { Interruption, interruptible } from "../interruption.ts";
import { addModelOptions, type ModelFlags, parseInteger, specialTokensOption } from "../model-options.ts";
import { writeNote } from "../output.ts";
import { addProfileOption, profiled } from "../profile.ts";
import { fieldsFrom } from "./fields.ts";
import { openSource } from "./input.ts";
import type { LineOptions } from "./line.ts";
import { loadModels, type Models } from "./models.ts";
import { OutputFile } from "./output-file.ts";
import { ScoreDisplay } from "./progress.ts";
import type { Position } from "./record.ts";
import { scoreCorpus } from "./run.ts";
import { modelDigest } from "./settings.ts";

interface ScoreFlags extends ModelFlags {
  readonly out?: string;
  readonly resume?: true;
  readonly jobs: number;
  readonly fields?: string;
  readonly stride?: number;
  readonly top?: number;
  readonly specialTokens?: true;
  readonly resultKey?: string;
  readonly onError: "stop" | "report";
  readonly profile?: true;
}

/** `gpt2 score`: JSON Lines in, JSON Lines out. */
export function scoreCommand(): Command {
  return addProfileOption(addModelOptions(new Command("score")))
    .description("score texts: a line of JSON in, a line of JSON out")
    .argument("[file]", "the lines (default: standard input)")
    .addOption(
      new Option(
        "-o, --out <file>",
        "where the results go (default: standard output); compressed if its name ends in .gz or .zst",
      ).argParser(parsePath),
    )
    .option("--resume", "go on with an --out that an earlier run of the same command did not finish")
    .addOption(
      new Option("--jobs <count>", "so many models side by side, each on one thread unless --threads says otherwise")
        .default(1)
        .argParser(parseInteger),
    )
    .option("--fields <list>", "write these of the result's keys only, in this order, and text; separated by commas")
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
      '\nIn: {"text": …} or {"ids": […]}; lines of blanks are skipped. Other keys are passed through as they are written; a key' +
        "\nof the output among them is an error, unless --result-key gives the result a place of its own." +
        "\nOut, in the same order: {ids, tokens, logprobs, logLikelihood, perplexity, bitsPerByte}, with natural logarithms;" +
        "\nlogprobs are those of the tokens from the second on. A text of fewer than two tokens has logLikelihood 0, and null" +
        "\nfor the last two. --fields can name text too, as it came." +
        "\n--top: alternatives too, for each of logprobs a list of {id, token, logprob}, the likeliest first." +
        "\n--on-error report: {line, error} for a line that cannot be used, with its other keys if it could be read; the exit" +
        "\nstatus is 1 if there was one." +
        "\nInput that is gzip or zstd is decompressed; zstd needs Node 22.15 or later." +
        "\n--resume: whatever ended a run, the same command with --resume goes on, to the bytes that one run would have written" +
        "\n(where they are compressed: to the same lines). FILE.run.json beside the output tells up to where it is whole, and of" +
        "\nwhich input, model and options; others are refused.",
    )
    .action((file: string | undefined, flags: ScoreFlags) => interruptible((signal) => score(file, flags, signal)));
}

async function score(file: string | undefined, flags: ScoreFlags, interrupted: AbortSignal): Promise<void> {
  checkInteger("stride", flags.stride, 1);
  checkInteger("top", flags.top, 1);
  const fields = fieldsFrom(flags.fields, flags.top !== undefined);
  const { out, resume = false, jobs, profile } = flags;
  if (resume && out === undefined) throw new OptionError("resume", "has no meaning without --out");
  if (profile && jobs > 1) throw new OptionError("profile", "has no meaning with several --jobs");
  const ended = new AbortController(); // standard input is waited for no more
  const signal = AbortSignal.any([interrupted, ended.signal]);
  const source = await openSource(file, signal);
  using models = await loadModels(flags, jobs, interrupted);
  checkInteger("stride", flags.stride, 1, models.all[0]!.config.nPositions - 1);
  const options = { ...flags, fields, report: flags.onError === "report" };
  let output: OutputFile | undefined;
  let end: Position | undefined;
  try {
    output = out === undefined ? undefined : await openOutput(out, resume, models, options);
    if (file === undefined) announceInput("lines of JSON");
    const display = showsProgress(out) ? new ScoreDisplay(source) : undefined;
    const run = async (): Promise<Position> =>
      scoreCorpus({ source, models: models.all, options, output, display, signal });
    try {
      end = models.own ? await profiled(profile, models.own, run) : await run();
    } finally {
      display?.stop(out === undefined ? undefined : end);
    }
  } catch (error) {
    if (error instanceof Interruption && output?.position) {
      writeNote(
        `gpt2: interrupted after ${amount(output.position.lines, "line")}; the same command with --resume goes on\n`,
      );
    }
    throw error;
  } finally {
    ended.abort(new Error("scoring has ended"));
    await output?.close(end);
  }
  if (end.failed > 0) throw new Error(`${end.failed} of ${end.lines} lines could not be scored`);
}

async function openOutput(
  path: string,
  resume: boolean,
  models: Models,
  options: LineOptions & Omit<ScoreFlags, "fields">,
): Promise<OutputFile> {
  const { fields, top = null, stride = null, specialTokens = false, resultKey = null, onError } = options;
  const model = await modelDigest(models.all[0]!);
  return OutputFile.open(path, { model, fields, top, stride, specialTokens, resultKey, onError }, resume);
}

/** Whether progress can be shown: not beside the results at a terminal, and in a log only if they go to a file. */
function showsProgress(out: string | undefined): boolean {
  return out !== undefined || (process.stderr.isTTY && !process.stdout.isTTY);
}

function parsePath(path: string): string {
  if (path === "") throw new InvalidArgumentError("expected a file");
  return path;
}
