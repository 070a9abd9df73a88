import type { Backend } from "../backends/backend.ts";
import type { DeviceChoice } from "../device.ts";
import { ShapeMismatchError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { categorical as categoricalOf } from "../ops/categorical.ts";
import { expectDType } from "../ops/checks.ts";
import { checkChoice, checkOptionNames, OptionError, showValue } from "../options.ts";
import { Generator } from "../random.ts";
import { showShape, sizeOf } from "../shape.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { ReplaceAxis } from "../types/axes.ts";
import type { Literal, Ok, Shape } from "../types/shape-types.ts";
import { expectNumber, fill, forEachIndex } from "./fill.ts";
import { topK } from "./rows.ts";

/** Where random numbers come from: a seed, or a {@link Generator}, which continues where it is. */
export interface RandomOptions {
  readonly seed: number | Generator;
  readonly device?: DeviceChoice | Backend | undefined;
}

/** Uniform numbers in [0, 1). */
export function rand<const S extends Shape>(shape: S, options: RandomOptions): Tensor<Literal<S>> {
  const generator = generatorOf("rand", options);
  return fill("rand", shape, (data) => forEachIndex(data, () => generator.uint32() >>> 8, 2 ** -24), {
    device: options.device,
  });
}

/** Standard normal numbers. */
export function randn<const S extends Shape>(shape: S, options: RandomOptions): Tensor<Literal<S>> {
  const generator = generatorOf("randn", options);
  return fill(
    "randn",
    shape,
    (data) => {
      for (let i = 0; i < data.length; i += 2) {
        const [first, second] = generator.normalPair();
        data[i] = first;
        if (i + 1 < data.length) data[i + 1] = second;
      }
    },
    { device: options.device },
  );
}

/** Integers in `low`..`high - 1`. */
export function randInt<const S extends Shape>(
  low: number,
  high: number,
  shape: S,
  options: RandomOptions,
): Tensor<Literal<S>, "int32"> {
  const generator = generatorOf("randInt", options);
  for (const bound of [low, high - 1]) expectNumber("randInt", "a number", bound, "int32");
  return fill("randInt", shape, (data) => forEachIndex(data, () => generator.integer(low, high)), {
    device: options.device,
    dtype: "int32",
  });
}

function generatorOf(op: string, options: RandomOptions): Generator {
  checkOptionNames(options, ["seed", "device"], op);
  const seed = options?.seed;
  if (typeof seed === "number") return new Generator(seed);
  if (typeof seed?.uint32 === "function") return seed;
  throw new TypeError(
    `${op}: expected options with a seed, such as { seed: 1 } or a Generator, got ${showValue(seed)}`,
  );
}

/** The integers in `0`..`n - 1` in a random order (Fisher and Yates, 1938). */
export function randPerm<const N extends number>(n: N, options: RandomOptions): Tensor<[N], "int32"> {
  const generator = generatorOf("randPerm", options);
  return fill(
    "randPerm",
    [n] as [N],
    (data) => {
      for (let i = 0; i < n; i++) {
        const j = generator.integer(0, i + 1);
        data[i] = data[j]!;
        data[j] = i;
      }
    },
    { device: options.device, dtype: "int32" },
  );
}

/** Less than −log(1 − u) for any u of {@link rand} but 0, which has 24 bits. */
const LEAST_TIME = 2 ** -25;

/** How {@link categorical} draws. */
export interface CategoricalOptions {
  /** Or one for each row, which then gets what it would get alone. */
  readonly seed: number | Generator | readonly (number | Generator)[];
  /** Divides the logits: a finite number above 0, or one for each row. Default 1. */
  readonly temperature?: number | readonly number[];
}

/**
 * An index of each row of the last axis, drawn from softmax(logits / temperature): `[..., N]` → `[...]`. All arithmetic is float64
 * with functions of our own, so the same seed draws the same indices on every device that holds the same logits. A row gets the
 * first index at which the running sum of probabilities exceeds the generator's next uniform number, and −1 if it has no
 * distribution: with NaN, with +Infinity, or with nothing but −Infinity.
 *
 * @throws OptionError for a temperature out of range, or not as many generators or temperatures as rows
 */
export function categorical<S extends Shape>(
  logits: Tensor<S>,
  options: CategoricalOptions,
): Tensor<Ok<ReplaceAxis<"categorical", S, -1, []>>, "int32"> {
  const { seed, temperature = 1, ...others } = options ?? {};
  checkOptionNames(others, [], "categorical");
  expectDType("categorical", "logits", logits, "float32");
  const { shape } = logits as Tensor<Shape>;
  const n = shape.at(-1);
  if (!n) throw new ShapeMismatchError("categorical", `expected rows to draw from, got ${showShape(shape)}`);
  const rows = shape.slice(0, -1);
  const count = sizeOf(rows);
  const temperatures = ofEachRow("temperature", temperature, count);
  for (const each of temperatures) {
    if (Number.isFinite(each) && each > 0) continue;
    throw new OptionError("temperature", `expected a finite number above 0, got ${showValue(each)}`);
  }
  const from = (seed: number | Generator) => generatorOf("categorical", { seed });
  const generators = ofEachRow("seed", Array.isArray(seed) ? seed.map(from) : from(seed as number | Generator), count);
  return tidy(() => {
    const flat = (logits as Tensor<Shape>).reshape([count, n]);
    const uniforms = generators.map((generator) => generator.uniform());
    return wrap(categoricalOf(flat, { temperatures, uniforms })).reshape(rows);
  }) as Tensor<never, "int32">;
}

function ofEachRow<T extends number | Generator>(option: string, given: T | readonly T[], rows: number): readonly T[] {
  if (!Array.isArray(given)) return Array<T>(rows).fill(given as T);
  if (given.length === rows) return given as readonly T[];
  throw new OptionError(option, `expected one for each of ${rows} rows, got ${given.length}`);
}

/** How {@link multinomial} draws. */
export interface MultinomialOptions {
  readonly seed: number | Generator;
  /** Whether an index may be drawn again. Default: false, as in PyTorch. */
  readonly replacement?: boolean;
}

/**
 * `count` indices of each row of the last axis, drawn with probabilities proportional to the row's numbers, which are not
 * negative: `[..., N]` → `[..., count]`. Without replacement, indices of probability 0 come only after all others. Draws by a race of
 * exponential clocks, as PyTorch does. Throws {@link ShapeMismatchError} for more than N draws without replacement.
 */
export function multinomial<S extends Shape, const K extends number>(
  probabilities: Tensor<S>,
  count: K,
  options: MultinomialOptions,
): Tensor<Ok<ReplaceAxis<"multinomial", S, -1, [K]>>, "int32"> {
  const { seed, replacement = false, ...others } = options ?? {};
  checkOptionNames(others, [], "multinomial");
  checkChoice("replacement", replacement, [true, false]);
  const generator = generatorOf("multinomial", { seed });
  expectDType("multinomial", "probabilities", probabilities, "float32");
  const weights: Tensor = probabilities as Tensor<Shape>;
  const n = weights.shape.at(-1) ?? 0;
  if (!Number.isInteger(count) || count < 0 || n === 0 || (count > n && !replacement)) {
    const most = replacement ? "" : ` of at most ${n}`;
    throw new ShapeMismatchError(
      "multinomial",
      `expected a number of draws${most} from ${showShape(weights.shape)}, got ${showValue(count)}`,
    );
  }
  return tidy(() => {
    const rows = replacement ? weights.unsqueeze(-2).expand([...weights.shape.slice(0, -1), count, n]) : weights;
    const noise = rand(rows.shape, { seed: generator, device: weights.device });
    // Clocks of rates p ring at times e / p, which are exponential; the first has the largest p / e. An e of 0 would decide alone.
    const times = noise.neg().add(1).log().neg().maximum(LEAST_TIME);
    const speed = rows.div(times);
    return replacement ? speed.argMax(-1) : topK(speed, count, -1).indices;
  }) as Tensor<never, "int32">;
}
