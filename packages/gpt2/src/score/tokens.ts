import { checkOptionNames } from "@gpt2-ts/tensor/options";
import { ContextLengthError } from "../errors.ts";
import { Batch, checkTokenIds } from "../model/batch.ts";
import { type Logprobs, logprobsOf, type Top } from "../model/logprobs.ts";
import { forwardInSteps, type Model } from "../model/model.ts";
import { nextTurn, withPauses } from "../model/pauses.ts";
import { checkInteger } from "../options.ts";
import { compiledPasses } from "./compiled.ts";
import type { Passes, Window } from "./passes.ts";

/** How token sequences are scored. */
export interface ScoreOptions {
  /**
   * Also scores sequences that are longer than the context, through windows of `n_positions` tokens that begin `stride` tokens
   * apart: each window scores only the tokens that it adds, given at least `n_positions - stride` others (Hugging Face,
   * "Perplexity of fixed-length models"). A small stride is accurate, a large one fast. From 1 to `n_positions - 1`. Without
   * it, a sequence that does not fit is an error.
   */
  readonly stride?: number | undefined;
  /** Returns so many of the likeliest tokens in each place too. From 1; default: none, which costs nothing. */
  readonly top?: number | undefined;
  /** The most tokens in one pass, unless a single sequence has more. Default 1,024; 512 on the gpu device. */
  readonly tokensPerPass?: number | undefined;
  readonly onProgress?: ((progress: ScoreProgress) => void) | undefined;
  /** Stops early: scoring then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Sequences whose scores are complete, and in total. */
export interface ScoreProgress {
  readonly scored: number;
  readonly total: number;
}

/**
 * The natural log-probability of every token but the first of each sequence, given all those before it (in its window).
 * Sequences are packed end to end into passes, which does not change a bit of the results. (On the gpu device passes are
 * compiled, unless `top` is given, and the last bits may depend on the packing.)
 *
 * @param never ids that are not among the likeliest tokens
 * @throws OptionError, TokenIdError, ContextLengthError; `signal.reason` when aborted
 */
export async function scoreTokens(
  model: Model,
  sequences: readonly (readonly number[])[],
  options: ScoreOptions = {},
  never: Int32Array = new Int32Array(0),
): Promise<Logprobs[]> {
  checkOptionNames(options, ["stride", "top", "tokensPerPass", "onProgress", "signal"]);
  const { nPositions, vocabSize } = model.config;
  checkInteger("stride", options.stride, 1, nPositions - 1);
  checkInteger("top", options.top, 1);
  checkInteger("tokensPerPass", options.tokensPerPass, 1);
  const { stride, tokensPerPass, onProgress, signal } = options;
  const top = options.top === undefined ? undefined : { count: options.top, never };

  for (const ids of sequences) {
    if (stride === undefined && ids.length > nPositions) throw new ContextLengthError(ids.length, nPositions);
    checkTokenIds(model, ids);
  }
  const count = top ? Math.min(top.count, vocabSize - never.length) : 0;
  const scores = sequences.map((ids) => noLogprobs(Math.max(0, ids.length - 1), count));
  const passes =
    model.weights.wte.device.compile && !top
      ? compiledPasses(model, tokensPerPass)
      : packedPasses(model, top, tokensPerPass);
  for (const pack of packs(windowsOf(sequences, nPositions, stride ?? nPositions), passes)) {
    await nextTurn();
    signal?.throwIfAborted();
    distribute(await passes.run(pack, signal), pack, scores);
    onProgress?.({ scored: completed(pack, sequences), total: sequences.length });
  }
  return scores;
}

/** The windows of all sequences, in order. A sequence of fewer than two tokens has nothing to score, and no window. */
function* windowsOf(
  sequences: readonly (readonly number[])[],
  nPositions: number,
  stride: number,
): Generator<Window, void> {
  for (const [sequence, ids] of sequences.entries()) {
    if (ids.length < 2) continue;
    let scored = 1; // tokens of the sequence that are scored already, or given
    for (let start = 0; scored < ids.length; start += stride) {
      const window = ids.slice(start, start + nPositions);
      yield { sequence, start, ids: window, firstScored: scored - start };
      scored = start + window.length;
    }
  }
}

/** Groups windows, in order, into passes. */
function* packs(windows: Iterable<Window>, passes: Passes): Generator<readonly Window[], void> {
  let pack: Window[] = [];
  for (const window of windows) {
    if (pack.length > 0 && !passes.takes(pack, window)) {
      yield pack;
      pack = [];
    }
    pack.push(window);
  }
  if (pack.length > 0) yield pack;
}

/**
 * Passes over windows packed end to end, without padding. The last token of a window is predicted but predicts nothing, and no
 * token attends to it: passes leave it out.
 */
function packedPasses(model: Model, top: Top | undefined, tokensPerPass = 1024): Passes {
  return {
    takes: (windows, next) =>
      windows.reduce((sum, { ids }) => sum + ids.length - 1, next.ids.length - 1) <= tokensPerPass,
    async run(windows, signal) {
      using batch = new Batch(
        model,
        windows.map(({ ids }) => ({ ids: ids.slice(0, -1) })),
      );
      using x = await withPauses(forwardInSteps(model, batch), signal);
      const rows: number[] = [];
      const targets: number[] = [];
      for (const [i, { ids, firstScored }] of windows.entries()) {
        for (let token = firstScored; token < ids.length; token++) {
          rows.push(batch.starts[i]! + token - 1); // the row before a token is the one that predicts it
          targets.push(ids[token]!);
        }
      }
      return await logprobsOf(model, x, { rows, targets, top }, signal);
    },
  };
}

function noLogprobs(rows: number, count: number): Logprobs {
  const top = { count, ids: new Int32Array(rows * count), logprobs: new Float32Array(rows * count) };
  return { targets: new Float32Array(rows), top };
}

/** Writes a pass's results into the scores of its windows' sequences. */
function distribute({ targets, top }: Logprobs, pack: readonly Window[], scores: readonly Logprobs[]): void {
  let taken = 0;
  for (const { sequence, start, ids, firstScored } of pack) {
    const end = taken + ids.length - firstScored;
    const first = start + firstScored - 1;
    const own = scores[sequence]!;
    own.targets.set(targets.subarray(taken, end), first);
    own.top.ids.set(top.ids.subarray(taken * top.count, end * top.count), first * top.count);
    own.top.logprobs.set(top.logprobs.subarray(taken * top.count, end * top.count), first * top.count);
    taken = end;
  }
}

/** How many sequences are complete once `pack`, the latest pass, is done. */
function completed(pack: readonly Window[], sequences: readonly (readonly number[])[]): number {
  const { sequence, start, ids } = pack.at(-1)!;
  const whole = start + ids.length === sequences[sequence]!.length;
  let scored = whole ? sequence + 1 : sequence;
  if (whole) while (scored < sequences.length && sequences[scored]!.length < 2) scored++;
  return scored;
}
