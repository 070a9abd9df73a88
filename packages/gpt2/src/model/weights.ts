import { dim, type Tensor } from "@gpt2-ts/tensor";
import type { GPT2Config } from "./config.ts";
import type { Block, Model, Sizes, Weights } from "./model.ts";

/**
 * What a weight is for, which decides how it is kept: a `table` holds a vector for each token or position, a `matrix` `[in, out]`
 * is multiplied by, and a `vector` is a bias, a gain or a shift.
 */
export type WeightKind = "table" | "matrix" | "vector";

/**
 * What training from scratch begins with: `normal` is N(0, 0.02²), `residual` the same divided by √(2·n_layer), because as many
 * of these matrices add to the residual stream (Radford et al., 2019, section 2.3).
 */
export type Initial = "normal" | "residual" | "zeros" | "ones";

/** A weight in the table below. Its shape is spelled in the letters of {@link Sizes}. */
interface Entry<Letters extends readonly (keyof Sizes)[] = readonly (keyof Sizes)[]> {
  readonly name: string;
  readonly kind: WeightKind;
  readonly letters: Letters;
  readonly initial: Initial;
}

/** A weight of a model of some config. */
export interface Weight {
  /** Its name in the Hub's checkpoints, without their `transformer.` prefix. */
  readonly name: string;
  readonly kind: WeightKind;
  readonly shape: readonly number[];
  readonly initial: Initial;
}

// ---- the table: all that GPT-2 has learned, in the order of its checkpoints ------------------------------------------

const table = <Rows extends keyof Sizes>(name: string, rows: Rows) =>
  ({ name: `${name}.weight`, kind: "table", letters: [rows, "C"], initial: "normal" }) as const;

const linear = <In extends keyof Sizes, Out extends keyof Sizes>(
  name: string,
  inputs: In,
  outputs: Out,
  initial: "normal" | "residual" = "normal",
) =>
  ({
    weight: { name: `${name}.weight`, kind: "matrix", letters: [inputs, outputs], initial },
    bias: { name: `${name}.bias`, kind: "vector", letters: [outputs], initial: "zeros" },
  }) as const;

const norm = (name: string) =>
  ({
    weight: { name: `${name}.weight`, kind: "vector", letters: ["C"], initial: "ones" },
    bias: { name: `${name}.bias`, kind: "vector", letters: ["C"], initial: "zeros" },
  }) as const;

const block = {
  ln1: norm("ln_1"),
  attn: {
    cAttn: linear("attn.c_attn", "C", "QKV"),
    cProj: linear("attn.c_proj", "C", "C", "residual"),
  },
  ln2: norm("ln_2"),
  mlp: {
    cFc: linear("mlp.c_fc", "C", "F"),
    cProj: linear("mlp.c_proj", "F", "C", "residual"),
  },
} satisfies Entries<Block>;

const stack = {
  wte: table("wte", "V"),
  wpe: table("wpe", "positions"),
  lnF: norm("ln_f"),
  lmHead: table("lm_head", "V"), // where it is not the token embeddings again
} satisfies Entries<Omit<Weights, "h">>;

/** The table's entries in the structure of `T`, with the letters of its tensors' shapes: a wrong one does not compile. */
type Entries<T> = T extends Tensor<infer S> ? Entry<LettersOf<S>> : { readonly [K in keyof T]: Entries<T[K]> };
type LettersOf<S> = { readonly [I in keyof S]: LetterOf<S[I]> };
type LetterOf<D> = { [L in keyof Sizes]: [D, Sizes[L]] extends [Sizes[L], D] ? L : never }[keyof Sizes];

// ---- what follows from it ---------------------------------------------------------------------------------------------

/** The sizes of a model of this config, by their letters. */
export function sizesOf({ nEmbd, nHead, nInner, vocabSize, nPositions }: GPT2Config): Sizes {
  return {
    C: dim("C", nEmbd),
    H: dim("H", nHead),
    D: dim("D", nEmbd / nHead),
    V: dim("V", vocabSize),
    F: dim("F", nInner),
    QKV: dim("3C", 3 * nEmbd),
    positions: dim("n_positions", nPositions),
  };
}

/** The weights that a checkpoint of this config holds, in their usual order. */
export function weightsFor(config: GPT2Config): Weight[] {
  return Array.from(walk(config), ({ weight }) => weight);
}

/** The number of parameters of a model of this config; token embeddings that also make the logits count once. */
export function parameterCount(config: GPT2Config): number {
  return weightsFor(config).reduce((total, { shape }) => total + shape.reduce((size, dim) => size * dim, 1), 0);
}

/** A model's weights; `tensorOf` is called once for each, in their usual order, and returns a tensor of its shape. */
export function buildWeights(config: GPT2Config, tensorOf: (weight: Weight) => Tensor): Weights {
  const weights: Node = { h: Array.from({ length: config.nLayer }, () => ({})) };
  for (const { weight, path } of walk(config)) {
    let node = weights;
    for (const key of path.slice(0, -1)) {
      node[key] ??= {};
      node = node[key] as Node;
    }
    node[path.at(-1)!] = tensorOf(weight);
  }
  if (config.tieWordEmbeddings) weights["lmHead"] = weights["wte"];
  return weights as unknown as Weights; // the table has its structure, as the compiler checked above
}

/** Each weight of a model with its tensor, in their usual order; one that is used twice comes once. */
export function* namedWeights({ config, weights }: Pick<Model, "config" | "weights">): Generator<[Weight, Tensor]> {
  for (const { weight, path } of walk(config)) {
    yield [weight, path.reduce<unknown>((node, key) => (node as Node)[key], weights) as Tensor];
  }
}

type Node = Record<string, unknown>;

/** The weights of a model, each with the keys that lead to it in {@link Weights}. */
function* walk(config: GPT2Config): Generator<{ readonly weight: Weight; readonly path: readonly string[] }> {
  const sizes = sizesOf(config);
  const { lmHead, lnF, ...tables } = stack;
  yield* below(tables, [], "");
  for (let i = 0; i < config.nLayer; i++) yield* below(block, ["h", `${i}`], `h.${i}.`);
  yield* below({ lnF, ...(!config.tieWordEmbeddings && { lmHead }) }, [], "");

  function* below(part: object, path: readonly string[], prefix: string): ReturnType<typeof walk> {
    for (const [key, value] of Object.entries(part) as [string, Entry | object][]) {
      if (!("letters" in value)) yield* below(value, [...path, key], prefix);
      else {
        const { name, kind, letters, initial } = value;
        const shape = letters.map((letter): number => sizes[letter]);
        yield { weight: { name: prefix + name, kind, shape, initial }, path: [...path, key] };
      }
    }
  }
}
