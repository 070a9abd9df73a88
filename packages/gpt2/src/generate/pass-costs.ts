import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { Model } from "../model/model.ts";

/** What a pass over so many tokens of one text costs, as a multiple of a pass over one. */
export type PassCost = (tokens: number) => number;

/**
 * Over 2, up to 4, and up to 8 tokens: measured with GPT-2 small's shape and one thread on a processor with AVX2, where memory is
 * fast for what one thread computes. More threads on the same memory, and wider processors, make them smaller.
 */
const COSTS: Readonly<Record<MatrixEncoding, readonly [two: number, four: number, eight: number]>> = {
  f32: [1.25, 1.7, 3.1],
  bf16: [1.4, 2.8, 4.3],
  int8: [1.35, 2.2, 4.3],
};

/** The costs with a model's weights as they are kept. On `reference`, which computes token by token, a pass costs its tokens. */
export function passCostOf({ weights: { lmHead } }: Model): PassCost {
  const { packed } = lmHead.storage;
  if (lmHead.device.name !== "wasm" || packed === undefined) return (tokens) => tokens;
  const [two, four, eight] = COSTS[packed.encoding.name as MatrixEncoding];
  return (tokens) => {
    if (tokens <= 2) return tokens === 1 ? 1 : two;
    return tokens <= 4 ? four : eight * Math.ceil(tokens / 8);
  };
}
