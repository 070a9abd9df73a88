import { createHash } from "node:crypto";
import { type InputLine, inputLines, LONGEST_LINE } from "../input-lines.ts";
import { oneLine } from "../report.ts";
import type { Source } from "./input.ts";
import { idsOf, type LineOptions, type Reader, readLine } from "./line.ts";
import { BEGINNING, type Position } from "./record.ts";

/** Tokens that are collected before they are scored, in one pass over the weights. */
const TOKENS_AT_ONCE = 1024;

/** What is to be written for a line: the score of its tokens, or what is wrong with it. */
export interface Answer {
  /** The members that are passed through, as JSON. */
  readonly others: string;
  /** The text as JSON, if it has one. */
  readonly text?: string | undefined;
  readonly ids?: readonly number[];
  readonly report?: { readonly line: number; readonly error: string };
}

/** Lines that are scored together. */
export interface Pack {
  readonly answers: readonly Answer[];
  /** Where the input is after them. */
  readonly position: Position;
}

/**
 * Puts the lines of an input together into packs.
 *
 * @param from where to begin; what comes before it has to be what it was
 * @throws Error at a line that cannot be used, after the pack of those before it, unless such lines are reported
 */
export async function* packsOf(
  source: Source,
  model: Reader,
  options: LineOptions,
  from: Position | undefined,
): AsyncGenerator<Pack, Position> {
  const progress = new InputProgress(from);
  let answers: Answer[] = [];
  let tokens = 0;
  const take = (): Pack => {
    const pack = { answers, position: progress.position() };
    answers = [];
    tokens = 0;
    return pack;
  };
  for await (const lines of inputLines(source.chunks)) {
    for (const line of lines) {
      if (from !== undefined && line.number <= from.inputLines) {
        progress.skip(line, from);
        continue;
      }
      const answer = answerTo(line, model, options);
      if (answer === undefined) {
        progress.pass(line);
        continue;
      }
      if (answer instanceof Error) {
        if (answers.length > 0) yield take(); // lines before the mistake are answered
        throw answer;
      }
      const { length } = answer.ids ?? [];
      if (answers.length > 0 && tokens + length > TOKENS_AT_ONCE) yield take();
      answers.push(answer);
      tokens += length;
      progress.pass(line, answer);
    }
    if (source.live && answers.length > 0) yield take(); // the next lines may take long to come
  }
  if (answers.length > 0) yield take();
  progress.end(from);
  return progress.position();
}

/** @returns undefined for a line of blanks; what is wrong with it if that is not to be reported */
function answerTo({ number, bytes }: InputLine, model: Reader, options: LineOptions): Answer | Error | undefined {
  let others = "";
  try {
    if (bytes === undefined) throw new Error(`it is longer than ${LONGEST_LINE} bytes`);
    const line = readLine(bytes, options);
    if (line === undefined) return undefined;
    others = line.others;
    return { others, text: line.text, ids: idsOf(line, model, options) };
  } catch (error) {
    const problem = oneLine(error);
    if (!options.report) return new Error(`line ${number}: ${problem}`, { cause: error });
    return { others, report: { line: number, error: problem } };
  }
}

/** Keeps account of the lines that were read. */
class InputProgress {
  readonly #hash = createHash("sha256");
  #inputLines = 0;
  #inputBytes = 0;
  #lines: number;
  #failed: number;
  #tokens: number;

  constructor({ lines, failed, tokens }: Position = BEGINNING) {
    this.#lines = lines;
    this.#failed = failed;
    this.#tokens = tokens;
  }

  /** A line, and its answer if it has one. */
  pass({ number, bytes }: InputLine, answer?: Answer): void {
    this.#inputLines = number;
    if (bytes !== undefined) this.#hash.update(bytes);
    this.#hash.update(bytes === undefined ? "\n\n" : "\n"); // no line has a break in it
    this.#inputBytes += (bytes?.length ?? LONGEST_LINE) + 1;
    if (answer === undefined) return;
    this.#lines++;
    if (answer.report) this.#failed++;
    this.#tokens += answer.ids?.length ?? 0;
  }

  /** A line that an earlier run has answered. Throws an Error if it, or one before it, is another now. */
  skip(line: InputLine, from: Position): void {
    this.pass(line);
    if (line.number === from.inputLines) this.#check(from);
  }

  /** Throws an Error if the input ends before `from`. */
  end(from: Position | undefined): void {
    if (from !== undefined && this.#inputLines < from.inputLines) this.#check(from);
  }

  position(): Position {
    return {
      inputLines: this.#inputLines,
      inputBytes: this.#inputBytes,
      inputDigest: this.#hash.copy().digest("hex"),
      lines: this.#lines,
      failed: this.#failed,
      tokens: this.#tokens,
    };
  }

  #check({ inputLines, inputDigest }: Position): void {
    if (this.#inputLines === inputLines && this.#hash.copy().digest("hex") === inputDigest) return;
    throw new Error(
      `the output cannot be gone on with: its first ${inputLines} lines of input are not the input's (any more)`,
    );
  }
}
