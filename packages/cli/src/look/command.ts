import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkInteger, type GPT2, OptionError } from "@gpt2-ts/gpt2";
import type { ThemeName } from "@gpt2-ts/gpt2/draw";
import { writeWhole } from "@gpt2-ts/gpt2/node";
import { Command, InvalidArgumentError, Option } from "commander";
import { announceInput, inputText, withoutLastLineBreak } from "../input.ts";
import { interruptible } from "../interruption.ts";
import {
  addModelOptions,
  encodeOptions,
  loadFrom,
  type ModelFlags,
  parseInteger,
  specialTokensOption,
} from "../model-options.ts";
import { writeOut } from "../output.ts";
import { VIEW_NAMES, type ViewName, views, type Wanted } from "./views.ts";

interface LookFlags extends ModelFlags {
  readonly text?: string;
  readonly specialTokens?: true;
  readonly show?: readonly ViewName[];
  readonly layer?: number;
  readonly head?: number;
  readonly position?: number;
  readonly target?: string;
  readonly against?: string;
  readonly ablate?: readonly string[];
  readonly out?: string;
  readonly theme?: ThemeName;
}

/** `gpt2 look`: what goes on inside the model while it reads a text. */
export function lookCommand(): Command {
  return addModelOptions(new Command("look"))
    .description("look inside the model while it reads a text: surprise, attention, logit lens, contributions")
    .argument("[text]", "the text (default: standard input)")
    .option("--text <text>", "the same, of a text that begins with a dash")
    .addOption(specialTokensOption("the text"))
    .option("--show <list>", `what to show, separated by commas: ${VIEW_NAMES.join(", ")} (default: all)`, parseViews)
    .option("--layer <number>", "the layer whose attention is shown, from 0 (default: all)", parseInteger)
    .option("--head <number>", "the head of that layer, from 0 (default: all)", parseInteger)
    .option(
      "--position <number>",
      "the token after which contributions are shown, from 0, or from the end if negative (default: -1)",
      parseInteger,
    )
    .option("--target <token>", "the token that contributions are to (default: the likeliest)")
    .option("--against <token>", "contributions to the difference from this token's logit")
    .option(
      "--ablate <list>",
      "places that are switched off, separated by commas: h.2.attn.head.1, h.3.mlp.cProj, h.*.attn.cProj",
      (text) => text.split(","),
    )
    .option("--out <folder>", "write SVG files into this folder instead of text, and print their names")
    .addOption(
      new Option(
        "--theme <theme>",
        "colours of the files: auto is what the reader's system prefers (default: auto)",
      ).choices(["auto", "light", "dark"]),
    )
    .addHelpText(
      "after",
      "\nIn tokens · is a blank and ↵ a line break. Layers and heads count from 0. What the numbers mean is told by docs/looking.md.",
    )
    .action((text: string | undefined, flags: LookFlags) => interruptible((signal) => look(text, flags, signal)));
}

async function look(argument: string | undefined, flags: LookFlags, signal: AbortSignal): Promise<void> {
  const names = flags.show ?? VIEW_NAMES;
  checkUse(flags, names);
  if (argument !== undefined && flags.text !== undefined) throw new OptionError("text", "was given twice");
  const text = argument ?? flags.text ?? (await textFromInput(signal));
  using model = await loadFrom(flags, signal);
  const wanted = wantedOf(model, text, flags, signal);
  if (flags.out !== undefined) await mkdir(flags.out, { recursive: true });
  for (const [i, name] of names.entries()) {
    const view = await views[name](model, wanted);
    if (flags.out === undefined) {
      await writeOut(`${i > 0 ? "\n" : ""}${view.text()}`);
      continue;
    }
    const path = join(flags.out, `${view.file}.svg`);
    await writeWhole(path, view.svg(flags.theme ?? "auto"));
    await writeOut(`${path}\n`);
  }
}

/** Throws for options that would be ignored. */
function checkUse(flags: LookFlags, names: readonly ViewName[]): void {
  const need = (option: keyof LookFlags, met: boolean, what: string): void => {
    if (flags[option] !== undefined && !met) throw new OptionError(option, `has no meaning without ${what}`);
  };
  need("theme", flags.out !== undefined, "--out");
  need("head", flags.layer !== undefined, "--layer");
  need("layer", names.includes("attention"), "attention among what is shown");
  for (const option of ["position", "target", "against"] as const) {
    need(option, names.includes("contributions"), "contributions among what is shown");
  }
}

function wantedOf(model: GPT2, text: string, flags: LookFlags, signal: AbortSignal): Wanted {
  const { nLayer, nHead } = model.config;
  checkInteger("layer", flags.layer, 0, nLayer - 1);
  checkInteger("head", flags.head, 0, nHead - 1);
  const ids = model.tokenizer.encode(text, encodeOptions(flags.specialTokens));
  if (ids.length === 0) throw new OptionError("text", "an empty text has nothing to look at");
  checkInteger("position", flags.position, -ids.length, ids.length - 1);
  return {
    ids,
    layer: flags.layer,
    head: flags.head,
    position: flags.position,
    target: tokenOf(model, "target", flags.target),
    against: tokenOf(model, "against", flags.against),
    ablate: flags.ablate,
    signal,
  };
}

async function textFromInput(signal: AbortSignal): Promise<string> {
  announceInput("the text");
  return withoutLastLineBreak(await inputText(signal));
}

/** The id of a text that is one token. */
function tokenOf({ tokenizer }: GPT2, option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ids = tokenizer.encode(text, { allowedSpecial: "all" });
  if (ids.length === 1) return ids[0];
  const tokens = tokenizer.tokens(ids).map((token) => JSON.stringify(token));
  throw new OptionError(option, `expected one token, got ${ids.length}: ${tokens.join(", ")}`);
}

function parseViews(list: string): ViewName[] {
  return list.split(",").map((name) => {
    const view = VIEW_NAMES.find((known) => known === name.trim());
    if (view === undefined) throw new InvalidArgumentError(`there are ${VIEW_NAMES.join(", ")}`);
    return view;
  });
}
