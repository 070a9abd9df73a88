/**
 * Synthetic GPT-2 checkpoints: every weight is an integer hash of its index, so that any language rebuilds the same
 * bytes without a download. The formula is that of `../reference/synthetic.py`:
 *
 *     value(name, i) = f32( mean + spread * (2 * (lowbias32(i + seed(name)) >>> 8) / 2**24 - 1) * k )
 *     k = `outlier` where (i % n_embd) % 199 == 42, else 1;  seed(name) = FNV-1a 32 of the UTF-8 name
 *
 * All arithmetic is float64, in this order of operations, rounded once to float32.
 */

/** The checkpoints that exist. `synthetic-124m` has GPT-2 small's exact shape. */
export const SYNTHETIC_NAMES = ["synthetic-tiny", "synthetic-124m"] as const;
export type SyntheticName = (typeof SYNTHETIC_NAMES)[number];

/** The fields of `config.json` that `synthetic.py` writes. */
export interface SyntheticConfig {
  readonly model_type: "gpt2";
  readonly activation_function: "gelu_new";
  readonly n_layer: number;
  readonly n_head: number;
  readonly n_embd: number;
  readonly n_positions: number;
  readonly vocab_size: number;
  readonly layer_norm_epsilon: number;
  readonly bos_token_id: number;
  readonly eos_token_id: number;
}

export interface SyntheticTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Where a tensor's values lie: uniform on mean ± spread, channel 42 of every 199 times `outlier`. */
interface Recipe {
  readonly name: string;
  readonly shape: readonly number[];
  readonly mean: number;
  readonly spread: number;
  readonly outlier: number;
}

const SIZES: Record<
  SyntheticName,
  readonly [layers: number, heads: number, channels: number, context: number, vocab: number]
> = {
  "synthetic-tiny": [2, 4, 64, 64, 257],
  "synthetic-124m": [12, 12, 768, 1024, 50257],
};

/** Spread times √3, so that `spread` reads as a standard deviation; Python's `3 ** 0.5` and V8's `Math.sqrt(3)` agree. */
const SQRT3 = Math.sqrt(3);
const OUTLIER_PERIOD = 199;
const OUTLIER_CHANNEL = 42;

/** FNV-1a, 32 bits, of the UTF-8 bytes of a name. */
export function fnv1a(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Ellis' lowbias32: a bijection on 32-bit integers that mixes every bit. */
export function lowbias32(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

/** The config that goes with a checkpoint. */
export function syntheticConfig(name: SyntheticName): SyntheticConfig {
  const [layers, heads, channels, context, vocab] = SIZES[name];
  return {
    model_type: "gpt2",
    activation_function: "gelu_new",
    n_layer: layers,
    n_head: heads,
    n_embd: channels,
    n_positions: context,
    vocab_size: vocab,
    layer_norm_epsilon: 1e-5,
    bos_token_id: vocab - 1,
    eos_token_id: vocab - 1,
  };
}

/** Builds the tensors one at a time, in the order of the file, so that a caller need not hold them all. */
export function* syntheticTensors(name: SyntheticName): Generator<SyntheticTensor> {
  const channels = SIZES[name][2];
  for (const recipe of recipes(name)) {
    yield { name: recipe.name, shape: recipe.shape, data: fill(recipe, channels) };
  }
}

/** The prompt of T tokens that the reference values belong to: `lowbias32(i + 1000 + T) % vocab`. */
export function syntheticPrompt(name: SyntheticName, length: number): Int32Array {
  const vocab = SIZES[name][4];
  return Int32Array.from({ length }, (_, i) => lowbias32(i + 1000 + length) % vocab);
}

function* recipes(name: SyntheticName): Generator<Recipe> {
  const [L, , D, C, V] = SIZES[name];
  const recipe = (tensor: string, shape: readonly number[], mean: number, spread: number, outlier = 1): Recipe => ({
    name: tensor,
    shape,
    mean,
    spread,
    outlier,
  });
  yield recipe("wte.weight", [V, D], 0, 0.14 * SQRT3);
  yield recipe("wpe.weight", [C, D], 0, 0.05 * SQRT3, 12);
  for (let i = 0; i < L; i++) {
    yield recipe(`h.${i}.ln_1.weight`, [D], 0.4, 0.1);
    yield recipe(`h.${i}.ln_1.bias`, [D], 0, 0.06);
    yield recipe(`h.${i}.attn.c_attn.weight`, [D, 3 * D], 0, 0.14 * SQRT3);
    yield recipe(`h.${i}.attn.c_attn.bias`, [3 * D], 0, 0.2);
    yield recipe(`h.${i}.attn.c_proj.weight`, [D, D], 0, 0.12 * SQRT3);
    yield recipe(`h.${i}.attn.c_proj.bias`, [D], 0, 0.2);
    yield recipe(`h.${i}.ln_2.weight`, [D], 0.3, 0.08);
    yield recipe(`h.${i}.ln_2.bias`, [D], 0, 0.05);
    yield recipe(`h.${i}.mlp.c_fc.weight`, [D, 4 * D], 0, 0.13 * SQRT3);
    yield recipe(`h.${i}.mlp.c_fc.bias`, [4 * D], -0.08, 0.15);
    yield recipe(`h.${i}.mlp.c_proj.weight`, [4 * D, D], 0, 0.09 * SQRT3);
    yield recipe(`h.${i}.mlp.c_proj.bias`, [D], 0, 0.15);
  }
  yield recipe("ln_f.weight", [D], 1, 0.3, 4);
  yield recipe("ln_f.bias", [D], 0, 0.3);
}

function fill({ name, shape, mean, spread, outlier }: Recipe, channels: number): Float32Array<ArrayBuffer> {
  const seed = fnv1a(name);
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) {
    const u = (2 * (lowbias32((i + seed) >>> 0) >>> 8)) / 2 ** 24 - 1;
    const k = (i % channels) % OUTLIER_PERIOD === OUTLIER_CHANNEL ? outlier : 1;
    data[i] = mean + spread * u * k;
  }
  return data;
}
