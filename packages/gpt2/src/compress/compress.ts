import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import { CompressedFormatError } from "../errors.ts";
import { Context } from "../generate/context.ts";
import type { GPT2 } from "../gpt2.ts";
import { logitsOfRows } from "../model/advance.ts";
import { Batch } from "../model/batch.ts";
import { forwardInSteps } from "../model/model.ts";
import { nextTurn, pauses, withPauses } from "../model/pauses.ts";
import { digest, modelDigest } from "./digest.ts";
import { integerDistribution, startOf, tokenAt } from "./distribution.ts";
import { readHeader, writeHeader } from "./header.ts";
import { RangeDecoder, RangeEncoder } from "./range-coder.ts";
import { inputsOf, windows } from "./windows.ts";

export interface CompressOptions {
  readonly onProgress?: ((progress: CompressProgress) => void) | undefined;
  /** Stops early: the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Tokens that are done, and in total. */
export interface CompressProgress {
  readonly done: number;
  readonly total: number;
}

/**
 * Compresses any bytes, text best: each token takes −log₂ of the probability that the model gives it, in bits, by a range coder
 * (Shannon's code; with a language model for the first time in Schmidhuber and Heil, 1996). To open the file takes the same model,
 * kept in the same way, on any machine, engine and number of threads: it has to compute the very same bits.
 *
 * @param model on a device whose results are the same everywhere: loaded with `deterministic: true`
 * @throws OptionError for another device; TokenizerError for bytes that have no token; `signal.reason` when aborted
 */
export async function compress(model: GPT2, content: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array> {
  expectBytes("compress", content);
  checkOptions(model, options);
  const { onProgress, signal } = options;
  const ids = model.tokenizer.encodeBytes(content);
  const encoder = new RangeEncoder();
  for (const window of windows(ids.length, model.config.nPositions)) {
    let at = window.first;
    const inputs = inputsOf(window, startOfText(model), ids);
    for await (const logits of logitsAfter(model, inputs, window.end - window.first, signal)) {
      const distribution = integerDistribution(logits);
      const id = ids[at++]!;
      encoder.encode(startOf(distribution, id), distribution.sizes[id]!, distribution.total);
      onProgress?.({ done: at, total: ids.length });
    }
  }
  const code = encoder.finish();
  const header = writeHeader({
    bytes: content.length,
    tokens: ids.length,
    codeBytes: code.length,
    model: await modelDigest(model),
    content: await digest(content),
  });
  const file = new Uint8Array(header.length + code.length);
  file.set(header);
  file.set(code, header.length);
  return file;
}

/** The logits after each of the last `count` inputs, from one pass: bit for bit those of a pass for each. */
async function* logitsAfter(
  { model }: GPT2,
  inputs: readonly number[],
  count: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Float32Array, void> {
  await nextTurn();
  signal?.throwIfAborted();
  using batch = new Batch(model, [{ ids: inputs }]);
  using x = await withPauses(forwardInSteps(model, batch), signal);
  const rows = Array.from({ length: count }, (_, i) => inputs.length - count + i);
  const { vocabSize } = model.config;
  const pause = pauses(signal);
  for (const scores of logitsOfRows(model, x, rows)) {
    using _ = scores;
    const data = await scores.data();
    for (let at = 0; at < data.length; at += vocabSize) {
      yield data.subarray(at, at + vocabSize);
      await pause();
    }
  }
}

/**
 * What {@link compress} was given.
 *
 * @throws CompressedFormatError for a file that was cut or changed, is of another kind, or was made with another model; OptionError
 *   for a device whose results are not the same everywhere; `signal.reason` when aborted
 */
export async function decompress(model: GPT2, file: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array> {
  expectBytes("decompress", file);
  checkOptions(model, options);
  const { onProgress, signal } = options;
  const { header, code } = readHeader(file);
  if (!equal(header.model, await modelDigest(model))) {
    throw new CompressedFormatError(
      "made with another model, or with other settings: dtype and cacheDtype have to be the same too",
    );
  }
  const decoder = new RangeDecoder(code);
  const ids: number[] = [];
  using context = new Context(model.model);
  for (const window of windows(header.tokens, model.config.nPositions)) {
    context.truncate(0);
    let inputs = inputsOf({ ...window, end: window.first + 1 }, startOfText(model), ids);
    while (ids.length < window.end) {
      const distribution = integerDistribution(await context.append(inputs, { signal }));
      const { id, start } = tokenAt(distribution, decoder.locate(distribution.total));
      decoder.accept(start, distribution.sizes[id]!);
      if (decoder.exhausted) throw damaged();
      ids.push(id);
      inputs = [id];
      onProgress?.({ done: ids.length, total: header.tokens });
    }
  }
  const content = model.tokenizer.decodeBytes(ids);
  if (content.length !== header.bytes || !equal(header.content, await digest(content))) throw damaged();
  return content;
}

const damaged = (): CompressedFormatError =>
  new CompressedFormatError("damaged: what it holds is not what was compressed");

/** What the model sees before the first token. */
function startOfText({ tokenizer, config }: GPT2): number {
  const id = tokenizer.startOfText;
  return id !== undefined && id < config.vocabSize ? id : 0; // any will do that is always the same
}

function checkOptions({ device }: GPT2, options: CompressOptions): void {
  checkOptionNames(options, ["onProgress", "signal"]);
  if (!device.deterministic) {
    const kind = `${device.name} device here gives bits that others may not`;
    throw new OptionError("model", `the ${kind}: load it with deterministic: true, on the wasm device`);
  }
}

function expectBytes(method: string, bytes: Uint8Array): void {
  if (Object.prototype.toString.call(bytes) === "[object Uint8Array]") return;
  throw new TypeError(`${method}: expected a Uint8Array, got ${showValue(bytes)}`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}
