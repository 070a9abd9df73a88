import { OptionError } from "@gpt2-ts/gpt2";
import type { ResumeOptions, TrainFolderOptions } from "@gpt2-ts/gpt2/node";
import { type Command, Option } from "commander";
import { parseInteger, parseNumber } from "../model-options.ts";

type Named = Omit<TrainFolderOptions, "device" | "onProgress" | "onWarning" | "signal" | "model" | "tokenizer">;

/** What the command line says: the library's options, by their names there, and what the command does besides. */
export interface TrainFlags extends Named {
  readonly model?: string;
  readonly revision?: string;
  readonly tokenizer?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly device: "wasm" | "reference";
  readonly sampleEvery?: number;
  readonly samplePrompt?: string;
  readonly sampleTokens?: number;
}

interface Flag {
  readonly flags: string;
  readonly help: string;
  readonly parse?: (text: string, before?: unknown) => unknown;
}

const several = (text: string, before: unknown = []): unknown => [...(before as readonly string[]), text];
const integer = (text: string): number => parseInteger(text);
const number = (text: string): number => parseNumber(text);

/** In the order of the help. */
const groups: Readonly<Record<string, readonly Flag[]>> = {
  "What is trained, on what:": [
    {
      flags: "--text <file>",
      help: 'text to learn from, UTF-8, or JSON Lines of {"text": …} in a .jsonl file; may be given several times',
      parse: several,
    },
    { flags: "--out <folder>", help: "the folder of the model, a new one" },
    { flags: "--resume <folder>", help: "go on with a training that was stopped" },
    { flags: "-m, --model <folder|name>", help: "begin with this model: fine-tuning (default: random weights)" },
    { flags: "--revision <revision>", help: "a branch, a tag or a commit of a model of the Hub (default: main)" },
    {
      flags: "--freeze <pattern>",
      help: 'weights that stay as they are, such as "h.0.*"; may be given several times',
      parse: several,
    },
    {
      flags: "--held-out <share>",
      help: "of each file, at its end, kept out to measure by (default: 0.1)",
      parse: number,
    },
    {
      flags: "--held-out-text <file>",
      help: "measure by this file instead; may be given several times",
      parse: several,
    },
  ],
  "A model from scratch:": [
    { flags: "--layers <count>", help: "blocks (default: 4)", parse: integer },
    { flags: "--heads <count>", help: "attention heads (default: 4)", parse: integer },
    { flags: "--channels <count>", help: "of the residual stream (default: 128)", parse: integer },
    {
      flags: "--vocab-size <count>",
      help: "tokens of a vocabulary that is learned from the text (default: 1024)",
      parse: integer,
    },
    { flags: "--tokenizer <folder>", help: "use the tokenizer of this model folder instead" },
  ],
  "How:": [
    {
      flags: "--context <tokens>",
      help: "tokens of a sequence (default: 256, or all that the given model can take)",
      parse: integer,
    },
    {
      flags: "--steps <count>",
      help: "updates of the weights (default: three times through the text)",
      parse: integer,
    },
    { flags: "--batch-tokens <count>", help: "tokens of a step (default: 2048, or a sequence)", parse: integer },
    {
      flags: "--micro-batch-tokens <count>",
      help: "tokens that are computed at once; less takes less memory (default: 1024, or a sequence)",
      parse: integer,
    },
    {
      flags: "--lr, --learning-rate <number>",
      help: "the highest learning rate (default: 3e-4; 3e-5 is usual for fine-tuning)",
      parse: number,
    },
    {
      flags: "--min-lr, --min-learning-rate <number>",
      help: "the last one (default: a tenth of the highest)",
      parse: number,
    },
    {
      flags: "--warmup-steps <count>",
      help: "steps in which it rises (default: a twentieth of all, 100 at most)",
      parse: integer,
    },
    { flags: "--weight-decay <number>", help: "of matrices (default: 0.1)", parse: number },
    { flags: "--beta1 <number>", help: "AdamW's mean of gradients (default: 0.9)", parse: number },
    { flags: "--beta2 <number>", help: "AdamW's mean of their squares (default: 0.99)", parse: number },
    { flags: "--clip <number>", help: "the largest norm of the gradients (default: 1)", parse: number },
    {
      flags: "--dropout <share>",
      help: "of embeddings and residuals that each step drops (default: 0)",
      parse: number,
    },
    { flags: "--seed <integer>", help: "of the first weights and the order of the text (default: 1)", parse: integer },
  ],
  "On the way:": [
    {
      flags: "--eval-every <steps>",
      help: "measure the held-out text, and save (default: a twentieth of all, 250 at most)",
      parse: integer,
    },
    { flags: "--eval-tokens <count>", help: "of the held-out text (default: 32768)", parse: integer },
    { flags: "--sample-every <steps>", help: "write a text by the model as it is", parse: integer },
    { flags: "--sample-prompt <text>", help: "what these texts continue (default: nothing)" },
    { flags: "--sample-tokens <count>", help: "how long they are (default: 100)", parse: integer },
    { flags: "--threads <count>", help: "threads of the wasm device", parse: integer },
    { flags: "--deterministic", help: "the same bits on every engine (wasm without relaxed SIMD)" },
  ],
};

export function addTrainOptions(command: Command): Command {
  for (const [heading, flags] of Object.entries(groups)) {
    for (const { flags: names, help, parse } of flags) {
      const option = new Option(names, help).helpGroup(heading);
      if (parse) option.argParser(parse);
      command.addOption(option);
    }
  }
  return command.addOption(
    new Option("--device <device>", "what computes")
      .choices(["wasm", "reference"])
      .default("wasm")
      .helpGroup("On the way:"),
  );
}

/** Where the texts are and how it runs, which may be given again when a training goes on. */
const again = [
  "text",
  "heldOutText",
  "threads",
  "deterministic",
  "device",
  "sampleEvery",
  "samplePrompt",
  "sampleTokens",
];

/** The library's options for a training that goes on. Throws an OptionError for those that were decided when it began. */
export function resumeOptionsFrom({ resume: _, ...flags }: TrainFlags): ResumeOptions {
  for (const name of Object.keys(flags)) {
    if (!again.includes(name))
      throw new OptionError(name, "is decided when a training begins; --resume goes on with what it was then");
  }
  return given(flags, ["text", "heldOutText", "threads", "deterministic", "device"]) as ResumeOptions;
}

/** The same for one that begins, but for the model, which has to be found. */
export function trainOptionsFrom(flags: TrainFlags): { readonly out: string; readonly options: TrainFolderOptions } {
  const { out, text, model, revision } = flags;
  if (out === undefined)
    throw new OptionError("out", "expected the folder of the new model (or --resume, to go on with one)");
  if (text === undefined) throw new OptionError("text", "expected at least one file to learn from");
  if (revision !== undefined && model === undefined)
    throw new OptionError("revision", "is for a model of the Hugging Face Hub");
  const others = ["out", "resume", "model", "revision", "sampleEvery", "samplePrompt", "sampleTokens"];
  const names = Object.keys(flags).filter((name) => !others.includes(name));
  return { out, options: given(flags, names) as unknown as TrainFolderOptions };
}

function given(flags: object, names: readonly string[]): object {
  return Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => names.includes(name) && value !== undefined),
  );
}
