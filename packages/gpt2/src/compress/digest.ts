import { Context } from "../generate/context.ts";
import type { GPT2 } from "../gpt2.ts";
import { DIGEST_BYTES } from "./header.ts";

/** Tokens of the text that models are told apart by. */
const PROBE_LENGTH = 16;

/** The beginning of a SHA-256. */
export async function digest(bytes: Uint8Array): Promise<Uint8Array> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(hash, 0, DIGEST_BYTES);
}

/**
 * Tells models apart by the bits of the logits that they compute after a few tokens: weights, config, dtype and device all come
 * into them.
 */
export async function modelDigest({ model }: GPT2): Promise<Uint8Array> {
  const { vocabSize, nPositions } = model.config;
  using context = new Context(model, { capacity: Math.min(PROBE_LENGTH, nPositions) });
  const probe = Array.from({ length: context.capacity }, (_, i) => ((i + 1) * 7919) % vocabSize);
  const logits = await context.append(probe);
  const bits = new DataView(new ArrayBuffer(4 * logits.length));
  for (const [i, logit] of logits.entries()) bits.setFloat32(4 * i, logit, true);
  return digest(new Uint8Array(bits.buffer));
}
