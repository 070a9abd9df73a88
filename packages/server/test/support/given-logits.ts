import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialModel, trainBPE } from "@gpt2-ts/gpt2";
import { modelFiles, newConfig } from "@gpt2-ts/gpt2/train";
import { fromData } from "@gpt2-ts/tensor";
import { onTestFinished } from "vitest";

/** What the last layer norm gives in its first channel, whatever comes before. */
const SIGNAL = 1e30;
/** Times {@link SIGNAL} it is beyond float32. */
const BEYOND = -1e9;
const CHANNELS = 4;

/** Two tokens with one text: the byte E2, which alone is no character, and these four characters. */
export const SAME_TEXT = "\\xe2";

/** A model in a folder, which is there while a test runs. */
export interface GivenModel {
  readonly folder: string;
  /** By a token's byte symbols. */
  idOf(token: string): number;
}

/**
 * A model whose logits are the given ones after every text. The vocabulary is the bytes, `<|endoftext|>`, and {@link SAME_TEXT} in
 * characters.
 *
 * @param logitOf of a token, by its byte symbols; may be -Infinity
 */
export async function withLogits(logitOf: (token: string) => number): Promise<GivenModel> {
  const bytes = await trainBPE("", { vocabSize: 257 });
  const merges = [1, 2, 3].map((end) => [SAME_TEXT.slice(0, end), SAME_TEXT.slice(end, end + 1)] as const);
  const tokens = [...Object.keys(bytes.vocab), ...merges.map((pair) => pair.join(""))];
  const shape = { layers: 1, heads: 1, channels: CHANNELS, context: 16, vocabSize: tokens.length };
  const config = newConfig({ ...shape, endOfText: bytes.specialTokens["<|endoftext|>"]! });
  const table = new Float32Array(tokens.length * CHANNELS);
  for (const [id, token] of tokens.entries()) {
    const logit = logitOf(token);
    table[id * CHANNELS] = logit === Number.NEGATIVE_INFINITY ? BEYOND : logit / SIGNAL;
  }
  const device = "reference";
  const model = initialModel(config, { seed: 1, device });
  const { C, V } = model.sizes;
  const wte = fromData(table, [V, C], { device });
  const lnF = {
    weight: fromData(new Float32Array(CHANNELS), [C], { device }),
    bias: fromData(Float32Array.of(SIGNAL, 0, 0, 0), [C], { device }),
  };
  const weights = { ...model.weights, wte, lmHead: wte, lnF };
  const files = await modelFiles(
    { ...model, weights },
    {
      vocab: JSON.stringify(Object.fromEntries(tokens.map((token, id) => [token, id]))),
      merges: merges.map((pair) => `${pair.join(" ")}\n`).join(""),
    },
  );
  const folder = await mkdtemp(join(tmpdir(), "gpt2-logits-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, blob] of Object.entries(files))
    await writeFile(join(folder, name), new Uint8Array(await blob.arrayBuffer()));
  return { folder, idOf: (token) => tokens.indexOf(token) };
}
