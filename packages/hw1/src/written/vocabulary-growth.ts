import { type GPT2Config, weightsFor } from "@gpt2-ts/gpt2";
import { type CheckResult, same, type WrittenProblem } from "./problem.ts";

/**
 * Only what has a row or an entry for each token grows: by 60,000 - 50,257 = 9,743 rows. In the figure of the problem sheet
 * that is the token embedding (768 numbers a token), the output layer (768 weights) and the output layer's bias (1):
 *
 *     768 · 9,743 + 768 · 9,743 + 9,743 = 14,974,991
 *
 * In GPT-2 as released the output layer is the token embedding, used a second time ("tied"; Press and Wolf, "Using the
 * output embedding to improve language models", 2017), and it has no bias:
 *
 *     768 · 9,743 = 7,482,624
 *
 * Nothing else knows the size of the vocabulary: not the position embeddings, and no block.
 */
export const vocabularyGrowth: WrittenProblem = {
  id: "6.2",
  title: "Parameters for more tokens",
  claim:
    "From 50,257 to 60,000 tokens the figure's model (untied output layer with bias) grows by 14,974,991 parameters, " +
    "GPT-2 as released (tied, no bias) by 7,482,624.",
  differs:
    "The answer sheet gives the figure's model only. Its count is right there, but GPT-2 as released shares one matrix " +
    "between input and output and has no output bias, so it grows by half as much.",
  check(): CheckResult[] {
    const larger = { ...gpt2Small, vocabSize: 60_000 };
    const growth = (shapes: typeof releasedShapes): number =>
      parameterCount(shapes(larger)) - parameterCount(shapes(gpt2Small));
    const [before, after] = [releasedShapes(gpt2Small), releasedShapes(larger)];
    const grown = [...before].filter(([name, shape]) => `${after.get(name)}` !== `${shape}`).map(([name]) => name);
    return [
      same("parameters of GPT-2 small", 124_439_808, parameterCount(before)),
      same("growth of GPT-2 as released", 7_482_624, growth(releasedShapes)),
      same("its tensors that grow", "wte.weight", grown.join(", ")),
      same("growth of the figure's model", 14_974_991, growth(figureShapes)),
    ];
  },
};

/** GPT-2 small's `config.json`. */
const gpt2Small: GPT2Config = {
  nLayer: 12,
  nHead: 12,
  nEmbd: 768,
  nInner: 3072,
  nPositions: 1024,
  vocabSize: 50_257,
  activation: "gelu",
  layerNormEpsilon: 1e-5,
  scaleAttnWeights: true,
  scaleAttnByInverseLayerIdx: false,
  tieWordEmbeddings: true,
  bosTokenId: 50_256,
  eosTokenIds: [50_256],
};

/** The tensors of GPT-2 as released. */
export function releasedShapes(config: GPT2Config): Map<string, readonly number[]> {
  return new Map(weightsFor(config).map(({ name, shape }) => [name, shape]));
}

/** The tensors of the figure's model: GPT-2's, an output layer of its own, and its bias. */
export function figureShapes(config: GPT2Config): Map<string, readonly number[]> {
  const shapes = releasedShapes({ ...config, tieWordEmbeddings: false });
  return shapes.set("lm_head.bias", [config.vocabSize]);
}

/** How many numbers the tensors of these shapes hold. */
export function parameterCount(shapes: ReadonlyMap<string, readonly number[]>): number {
  let count = 0;
  for (const shape of shapes.values()) count += shape.reduce((size, dim) => size * dim, 1);
  return count;
}
