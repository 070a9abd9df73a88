import { checkGenerateOptions, type GPT2, OptionError } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { randomSeed } from "../continuations.ts";
import { interruptible } from "../interruption.ts";
import { addModelOptions, encodeOptions, loadFrom, type ModelFlags, specialTokensOption } from "../model-options.ts";
import { noteStream, writeNote, writeOut } from "../output.ts";
import { oneLine } from "../report.ts";
import { addSamplingOptions, DEFAULT_MAX_TOKENS, type SamplingFlags, samplingFrom } from "../sampling-options.ts";
import { addVerboseOption, describeLoading, describeMemory, describeUsage } from "../verbose.ts";
import { pipedLines, typedLines } from "./lines.ts";
import { Session } from "./session.ts";
import { describeSettings, settingsHelp, withSetting } from "./settings.ts";
import { Turns } from "./turns.ts";

interface RunFlags extends ModelFlags, SamplingFlags {
  readonly specialTokens?: true;
  readonly useGenerationConfig?: true;
  readonly verbose?: true;
}

const HELP = `A line is appended to the text, and the model goes on. An empty line lets it go on without one.
After the end of a text the next line begins a new one.
  /reset                         forgets the text: the next line begins a new one
  /settings                      shows what is set
  /help                          shows this
  /quit                          leaves, as Ctrl-D does
  //…                            a line that begins with a slash
  /NAME VALUE                    sets an option, such as /temperature 0.7; the value default takes it back;
                                 "\\n" in quotation marks is a line break, as in /stop "\\n"
Ctrl-C stops a continuation; a second one leaves.
`;

/** `gpt2 run`: a text that is written in turns. */
export function interactiveCommand(): Command {
  const command = addModelOptions(new Command("run")).addOption(specialTokensOption("a line"));
  return addVerboseOption(addSamplingOptions(command))
    .description("write a text in turns: a line of yours, a continuation by the model")
    .addHelpText(
      "after",
      `\nLines come from the terminal or from standard input; continuations go to standard output.\n\n${HELP}`,
    )
    .action((flags: RunFlags) => {
      const turns = new Turns();
      return interruptible(
        (signal, interrupt) => run(flags, turns, signal, () => interrupt("SIGINT")),
        (by) => by === "SIGINT" && turns.stop(),
      );
    });
}

async function run(flags: RunFlags, turns: Turns, signal: AbortSignal, leave: () => void): Promise<void> {
  const settings = samplingFrom(flags);
  checkGenerateOptions(settings); // before loading the model
  const began = performance.now();
  using model = await loadFrom(flags, signal);
  if (flags.verbose) writeNote(describeLoading(model, performance.now() - began));
  const atTerminal = process.stdin.isTTY && process.stderr.isTTY;
  if (atTerminal) writeNote("Type the beginning of a text. /help tells more.\n");
  const lines = atTerminal
    ? typedLines({ input: process.stdin, output: noteStream(), stop: () => turns.stop(), leave }, signal)
    : pipedLines(signal);
  const talk = new Talk(model, flags, settings, turns);
  for await (const { text, name } of lines) {
    try {
      if ((await talk.answer(text, signal)) === "quit") return;
    } catch (error) {
      signal.throwIfAborted();
      const problem = oneLine(error, "/");
      if (!(error instanceof OptionError)) throw error;
      if (!atTerminal) throw new Error(`${name}: ${problem}`, { cause: error });
      writeNote(`${problem}\n`);
    }
  }
}

/** What `gpt2 run` does with a line. */
class Talk {
  readonly #model: GPT2;
  readonly #flags: RunFlags;
  readonly #turns: Turns;
  readonly #session: Session;
  #settings: SamplingFlags;
  /** Turns since the seed was set. */
  #turn = 0;

  constructor(model: GPT2, flags: RunFlags, settings: SamplingFlags, turns: Turns) {
    this.#model = model;
    this.#flags = flags;
    this.#settings = settings;
    this.#turns = turns;
    this.#session = new Session(model);
  }

  async answer(line: string, signal: AbortSignal): Promise<"quit" | undefined> {
    if (!line.startsWith("/") || line.startsWith("//")) {
      await this.#continue(line.replace(/^\/\//, "/"), signal);
      return undefined;
    }
    const [, name = "", value = ""] = /^\/(\S*)\s*(.*?)\s*$/s.exec(line)!;
    if (name === "quit" || name === "reset" || name === "help" || name === "settings") {
      if (value !== "") throw new OptionError(name, `takes no value, got ${JSON.stringify(value)}`);
      if (name === "quit") return "quit";
      if (name === "reset") this.#session.reset();
      else writeNote(name === "help" ? `${HELP}Options:\n${settingsHelp}` : describeSettings(this.#settings));
      return undefined;
    }
    this.#settings = withSetting(this.#settings, name, value);
    if (name === "seed") this.#turn = 0;
    return undefined;
  }

  async #continue(line: string, signal: AbortSignal): Promise<void> {
    const { seed, ...settings } = this.#settings;
    const maxTokens = settings.maxTokens ?? this.#model.generationDefaults.maxTokens ?? DEFAULT_MAX_TOKENS;
    let last = "";
    const finished = await this.#turns.take(signal, async (either) => {
      const options = {
        ...settings,
        maxTokens,
        seed: seed === undefined ? randomSeed() : seed + this.#turn++,
        signal: either,
      };
      const encode = (text: string) => this.#model.tokenizer.encode(text, encodeOptions(this.#flags.specialTokens));
      for await (const event of this.#session.take(line, options, encode)) {
        if (event.text !== "") {
          await writeOut(event.text);
          last = event.text;
        }
        if (event.type === "token") continue;
        if (!last.endsWith("\n")) await writeOut("\n");
        if (this.#flags.verbose) writeNote(describeUsage(event.usage) + describeMemory());
      }
    });
    if (!finished) await writeOut("\n");
  }
}
