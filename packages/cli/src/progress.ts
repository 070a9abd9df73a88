import cliProgress from "cli-progress";
import { noteStream } from "./output.ts";

/** A progress display on standard error. */
export interface ProgressDisplay {
  /** Starts a bar, or continues the current one with a new total. */
  start(total: number): void;
  update(done: number, label?: string): void;
  /** Prints a line above the bar. */
  note(line: string): void;
  /** Ends the bar: call it before writing anything else to the terminal. */
  stop(): void;
}

/** Renders amounts: `bytes` as 1.2 MB, `items` as they are. */
export type ProgressUnit = "bytes" | "items";

/** Milliseconds before there is a bar: work that ends sooner needs none. */
const BAR_DELAY_MS = 300;
/** Milliseconds between two lines, where standard error is a file or a pipe. */
const LINE_INTERVAL_MS = 10_000;
const LINE_STEP = 0.25;

/** @returns a bar on a terminal; elsewhere an occasional line, so that logs stay short */
export function createProgress(unit: ProgressUnit, stream: NodeJS.WriteStream = noteStream()): ProgressDisplay {
  return stream.isTTY ? new BarDisplay(unit, stream) : new LineDisplay(unit, stream);
}

/** @returns a size as people write it, in powers of 1000 */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

function formatAmount(unit: ProgressUnit, amount: number): string {
  return unit === "bytes" ? formatBytes(amount) : String(Math.round(amount));
}

class BarDisplay implements ProgressDisplay {
  readonly #unit: ProgressUnit;
  readonly #stream: NodeJS.WriteStream;
  readonly #bar: cliProgress.SingleBar;
  #running = false;
  #shown = false;
  #timer: NodeJS.Timeout | undefined;
  #total = 0;
  #done = 0;
  #label = "";
  #startedAt = 0;
  #startedWith: number | undefined;

  constructor(unit: ProgressUnit, stream: NodeJS.WriteStream) {
    this.#unit = unit;
    this.#stream = stream;
    this.#bar = new cliProgress.SingleBar(
      {
        stream,
        format: "{label} [{bar}] {percentage}% | {value}/{total} | {speed}/s",
        hideCursor: true,
        clearOnComplete: true,
        formatValue: (value, _options, type) =>
          type === "value" || type === "total" ? formatAmount(unit, value) : String(value),
        barsize: 24,
        // The command decides what an interrupt means; cli-progress would end the process.
        gracefulExit: false,
      },
      cliProgress.Presets.rect,
    );
  }

  start(total: number): void {
    this.#total = total;
    if (this.#shown) this.#bar.setTotal(total);
    if (this.#running) return;
    this.#running = true;
    this.#startedAt = Date.now();
    this.#startedWith = undefined;
    [this.#done, this.#label] = [0, ""];
    this.#timer = setTimeout(() => this.#show(), BAR_DELAY_MS).unref();
  }

  update(done: number, label = this.#label): void {
    if (!this.#running) return;
    // What an earlier run downloaded says nothing about the speed of this one.
    this.#startedWith ??= done;
    [this.#done, this.#label] = [done, label];
    // Work that leaves no time to timers is shown too.
    if (Date.now() - this.#startedAt >= BAR_DELAY_MS) this.#show();
  }

  note(line: string): void {
    if (this.#shown) this.#stream.write("\r\u001b[2K");
    this.#stream.write(`${line}\n`);
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#shown) this.#bar.stop();
    this.#running = false;
    this.#shown = false;
  }

  #show(): void {
    const seconds = Math.max((Date.now() - this.#startedAt) / 1000, 0.001);
    const speed = formatAmount(this.#unit, Math.max(this.#done - (this.#startedWith ?? 0), 0) / seconds);
    const payload = { label: this.#label, speed };
    if (this.#shown) this.#bar.update(this.#done, payload);
    else this.#bar.start(this.#total, this.#done, payload);
    this.#shown = true;
  }
}

class LineDisplay implements ProgressDisplay {
  readonly #unit: ProgressUnit;
  readonly #stream: NodeJS.WriteStream;
  #total = 0;
  #nextShare = 0;
  #lastLineAt = 0;

  constructor(unit: ProgressUnit, stream: NodeJS.WriteStream) {
    this.#unit = unit;
    this.#stream = stream;
  }

  start(total: number): void {
    this.#total = total;
    this.#nextShare = LINE_STEP;
    this.#lastLineAt = Date.now();
  }

  update(done: number, label?: string): void {
    if (this.#total === 0) return;
    const share = done / this.#total;
    const now = Date.now();
    if (share < this.#nextShare && now - this.#lastLineAt < LINE_INTERVAL_MS) return;
    this.#lastLineAt = now;
    this.#nextShare = (Math.floor(share / LINE_STEP) + 1) * LINE_STEP;
    const amounts = `${formatAmount(this.#unit, done)} of ${formatAmount(this.#unit, this.#total)}`;
    this.note(`${Math.floor(share * 100)}% (${amounts})${label ? ` ${label}` : ""}`);
  }

  note(line: string): void {
    this.#stream.write(`${line}\n`);
  }

  stop(): void {
    this.#total = 0;
  }
}
