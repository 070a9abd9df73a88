import { amount, duration } from "../amount.ts";
import { noteStream } from "../output.ts";
import { createProgress, type ProgressDisplay } from "../progress.ts";
import type { Source } from "./input.ts";
import type { Position } from "./record.ts";

/** Milliseconds between two lines where the end of the input is not known. */
const LINE_INTERVAL_MS = 10_000;

/** Shows on standard error how far scoring is: a bar on a terminal if the input's size is known, else a line now and then. */
export class ScoreDisplay {
  readonly #source: Source;
  readonly #display: ProgressDisplay = createProgress("bytes", noteStream());
  #began = performance.now();
  #start: { readonly tokens: number; readonly textBytes: number } | undefined;
  #lastLine = performance.now();

  constructor(source: Source) {
    this.#source = source;
  }

  /** @param from where the run goes on: what an earlier one did says nothing about the speed of this one */
  start(from: Position | undefined): void {
    this.#began = performance.now();
    this.#start = { tokens: from?.tokens ?? 0, textBytes: from?.inputBytes ?? 0 };
    if (from) this.#display.note(`going on after ${amount(from.lines, "line")}`);
    if (this.#source.size !== undefined) this.#display.start(this.#source.size);
  }

  update({ tokens, inputBytes, lines }: Position): void {
    const start = this.#start!;
    const now = performance.now();
    const seconds = Math.max((now - this.#began) / 1000, 0.001);
    const speed = `${amount(Math.round((tokens - start.tokens) / seconds), "token")}/s`;
    const { size } = this.#source;
    if (size === undefined) {
      if (now - this.#lastLine < LINE_INTERVAL_MS) return;
      this.#lastLine = now;
      this.#display.note(`${amount(lines, "line")}, ${amount(tokens, "token")}, ${speed}`);
      return;
    }
    const done = this.#source.storedBytes(inputBytes);
    const rate = (done - this.#source.storedBytes(start.textBytes)) / seconds;
    const left = rate > 0 ? `, ${duration((size - done) / rate)} left` : "";
    this.#display.update(done, `${speed}${left}`);
  }

  /** @param end what was reached, if it is to be told */
  stop(end?: Position): void {
    this.#display.stop();
    if (end === undefined || this.#start === undefined) return;
    const tokens = end.tokens - this.#start.tokens;
    const seconds = (performance.now() - this.#began) / 1000;
    const speed = tokens > 0 ? `, ${amount(Math.round(tokens / seconds), "token")}/s` : "";
    this.#display.note(
      `${amount(end.lines, "line")}, ${amount(end.tokens, "token")}; ${amount(tokens, "token")} in ${duration(seconds)}${speed}`,
    );
  }
}
