import { type Backend, dim } from "@gpt2-ts/tensor";
import { type CompiledFunction, compile } from "@gpt2-ts/tensor/compile";
import { disposeWith } from "../model/dispose.ts";
import { logprobs } from "../model/logprobs.ts";
import { forward, type Model, type PassInput, type T } from "../model/model.ts";
import type { Passes, Window } from "./passes.ts";

/** Tokens of a pass, padding included: enough to keep a GPU busy, few enough for an answer soon. */
const TOKENS_PER_PASS = 512;
const SHORTEST_BUCKET = 16;
/** Passes that stay compiled for one model: each keeps the memory for its intermediate results. */
const COMPILED_AT_ONCE = 4;

/** ids, positions and targets of all tokens of a pass `[T]` → log p of the targets `[T]`. */
type CompiledPass = CompiledFunction<[PerToken, PerToken, PerToken], "float32">;

interface PerToken {
  readonly shape: [T];
  readonly dtype: "int32";
}

const compilers = new WeakMap<Model, PassCompiler>();

/**
 * Passes for a model on a device that compiles, which gpu does, each one submission and one readback: windows are padded at the
 * end to a bucket (a power of two from 16, the context at most), and their number to a power of two as far as `tokensPerPass`
 * allows. A pass is compiled when its size is first needed; the {@link COMPILED_AT_ONCE} used last are kept until the
 * model is disposed of.
 */
export function compiledPasses(model: Model, tokensPerPass = TOKENS_PER_PASS): Passes {
  const { device } = model.weights.wte;
  const { nPositions } = model.config;
  const bucketOf = (windows: readonly Window[]): number => {
    const longest = Math.max(SHORTEST_BUCKET, ...windows.map(({ ids }) => ids.length));
    return Math.min(powerOfTwoFrom(longest), nPositions);
  };
  const roomFor = (bucket: number): number => Math.max(1, Math.floor(tokensPerPass / bucket));
  return {
    takes: (windows, next) => windows.length < roomFor(bucketOf([...windows, next])),
    async run(windows, signal) {
      const bucket = bucketOf(windows);
      const count = Math.min(powerOfTwoFrom(windows.length), roomFor(bucket));
      const targets = await compilerOf(model, device).run(windows, bucket, count, signal);
      return { targets, top: { count: 0, ids: new Int32Array(0), logprobs: new Float32Array(0) } };
    },
  };
}

function compilerOf(model: Model, device: Backend): PassCompiler {
  let compiler = compilers.get(model);
  if (!compiler) {
    const own = new PassCompiler(model, device);
    compiler = own;
    compilers.set(model, own);
    disposeWith(model, () => {
      own.dispose();
      compilers.delete(model);
    });
  }
  return compiler;
}

function powerOfTwoFrom(value: number): number {
  return 2 ** Math.ceil(Math.log2(value));
}

/** Compiles passes of one model, and runs them one after the other. */
class PassCompiler {
  readonly #model: Model;
  readonly #device: Backend;
  /** By bucket and number of windows, the one used last at the end. */
  readonly #compiled = new Map<string, CompiledPass>();
  #latest: Promise<unknown> = Promise.resolve();

  constructor(model: Model, device: Backend) {
    this.#model = model;
    this.#device = device;
  }

  /** Runs a pass of `count` windows of `bucket` tokens; the first windows are given, the others padding. */
  run(
    windows: readonly Window[],
    bucket: number,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const ids = new Int32Array(count * bucket);
    const targets = new Int32Array(count * bucket);
    const positions = Int32Array.from({ length: count * bucket }, (_, row) => row % bucket);
    for (const [i, { ids: own }] of windows.entries()) {
      ids.set(own, i * bucket);
      targets.set(own.slice(1), i * bucket); // a row predicts the token after it
    }
    const turn = this.#latest.then(async () => {
      signal?.throwIfAborted();
      const pass = await this.#pass(bucket, count);
      const logprobs = await pass.run(ids, positions, targets);
      signal?.throwIfAborted();
      return scoredOf(windows, bucket, logprobs);
    });
    this.#latest = turn.catch(() => {});
    return turn;
  }

  dispose(): void {
    for (const pass of this.#compiled.values()) pass.dispose();
    this.#compiled.clear();
  }

  async #pass(bucket: number, count: number): Promise<CompiledPass> {
    const key = `${count}×${bucket}`;
    let pass = this.#compiled.get(key);
    this.#compiled.delete(key);
    if (!pass) {
      for (const [oldest, compiled] of this.#compiled) {
        if (this.#compiled.size < COMPILED_AT_ONCE) break;
        this.#compiled.delete(oldest);
        compiled.dispose();
      }
      pass = await this.#compile(bucket, count);
    }
    this.#compiled.set(key, pass);
    return pass;
  }

  async #compile(bucket: number, count: number): Promise<CompiledPass> {
    const model = this.#model;
    const T = dim("T", count * bucket);
    const segments = Array.from({ length: count }, (_, i) => ({ start: i * bucket, length: bucket }));
    const perToken: PerToken = { shape: [T], dtype: "int32" };
    return compile(this.#device, [perToken, perToken, perToken], (ids, positions, targets) => {
      const batch: PassInput = { length: T, ids, positions, segments: () => segments, remember: () => {} };
      return logprobs(model, forward(model, batch), targets); // [T]
    });
  }
}

/** The results of a padded pass that belong to scored tokens, window after window. */
function scoredOf(windows: readonly Window[], bucket: number, logprobs: Float32Array): Float32Array {
  const counts = windows.map(({ ids, firstScored }) => ids.length - firstScored);
  const scored = new Float32Array(counts.reduce((sum, count) => sum + count, 0));
  let taken = 0;
  for (const [i, { firstScored }] of windows.entries()) {
    const first = i * bucket + firstScored - 1;
    scored.set(logprobs.subarray(first, first + counts[i]!), taken);
    taken += counts[i]!;
  }
  return scored;
}
