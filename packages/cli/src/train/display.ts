import type { FolderProgress } from "@gpt2-ts/gpt2/node";
import { amount, duration, grouped } from "../amount.ts";
import { noteStream } from "../output.ts";
import { createProgress, formatBytes, type ProgressDisplay } from "../progress.ts";

type Beginning = Extract<FolderProgress, { readonly type: "begin" }>;
type Step = Extract<FolderProgress, { readonly type: "step" }>;

/** Milliseconds between two lines about steps, where standard error is a file or a pipe. */
const LINE_INTERVAL = 5000;

/** Shows a training on standard error: a bar on a terminal, else a line now and then. */
export class TrainingDisplay {
  readonly #onTerminal = noteStream().isTTY;
  #bar: ProgressDisplay | undefined;
  #preparing: string | undefined;
  #heldOutLoss: number | undefined;
  /** Nats per token to nats per character of the held-out text. */
  #perCharacter: number | undefined;
  #lastLine = -Infinity;
  #notes = createProgress("items");

  show(progress: FolderProgress): void {
    switch (progress.type) {
      case "prepare":
        this.#prepare(progress.what, progress.done, progress.total);
        return;
      case "begin":
        this.stop();
        this.#begin(progress);
        return;
      case "step":
        this.#step(progress);
        return;
      case "evaluation":
        this.#evaluation(progress.step, progress.heldOutLoss, progress.best);
        return;
      case "saved":
        return; // told at the end, or when it is stopped
    }
  }

  /** Prints a line, above the bar if there is one. */
  note(line: string): void {
    (this.#bar ?? this.#notes).note(line);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #prepare(what: "tokenizer" | "tokens", done: number, total: number): void {
    if (this.#preparing !== what) {
      this.stop();
      this.#preparing = what;
      this.#bar = createProgress(what === "tokens" ? "bytes" : "items");
      this.#bar.start(total);
    }
    this.#bar?.update(done, what === "tokens" ? "reading the text" : "learning a vocabulary");
  }

  #begin({
    step,
    options,
    parameters,
    trained,
    trainTokens,
    heldOutTokens,
    heldOutCharacters,
    memory,
  }: Beginning): void {
    const { steps, batchTokens } = options;
    const share = trained === parameters ? "" : `, ${grouped(trained)} of them trained`;
    this.note(
      `${amount(parameters, "parameter")}${share}; ${amount(trainTokens, "token")} to learn from, ${grouped(heldOutTokens)} held out; ` +
        `${amount(steps, "step")} of ${amount(batchTokens, "token")}; about ${formatBytes(memory.total)} of memory`,
    );
    if (step > 0) this.note(`going on after step ${step}`);
    if (heldOutCharacters > 0) this.#perCharacter = heldOutTokens / heldOutCharacters;
    if (!this.#onTerminal) return;
    this.#bar = createProgress("items");
    this.#bar.start(steps);
    this.#bar.update(step, "");
  }

  #step(progress: Step): void {
    const { step, steps } = progress;
    if (this.#onTerminal) {
      this.#bar?.update(step, this.#describe(progress));
      return;
    }
    const now = performance.now();
    if (step > 1 && step < steps && now - this.#lastLine < LINE_INTERVAL) return;
    this.#lastLine = now;
    this.note(`step ${step}/${steps}  ${this.#describe(progress)}`);
  }

  #describe({ loss, gradientNorm, tokensPerSecond, secondsLeft }: Step): string {
    const heldOut = this.#heldOutLoss === undefined ? "" : `held out ${this.#heldOutLoss.toFixed(3)}  `;
    const speed = `${amount(Math.round(tokensPerSecond), "token")}/s`;
    return `loss ${loss.toFixed(3)}  ${heldOut}norm ${gradientNorm.toFixed(2)}  ${speed}  ${duration(secondsLeft)} left`;
  }

  #evaluation(step: number, loss: number | undefined, best: boolean): void {
    this.#heldOutLoss = loss;
    if (loss === undefined) return;
    const characters =
      this.#perCharacter === undefined ? "" : ` (${(loss * this.#perCharacter).toFixed(3)} nats a character)`;
    this.note(`after step ${step}: held out ${loss.toFixed(4)}${characters}${best ? ", the best so far" : ""}`);
  }
}
