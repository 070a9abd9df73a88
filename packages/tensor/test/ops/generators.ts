import fc from "fast-check";
import type { DType } from "../../src/dtype.ts";
import { activations } from "../../src/ops/activation.ts";
import { broadcastable, type Fill, isFull, operand, shapes } from "./arbitraries.ts";
import type { Operand } from "./operands.ts";
import type { Args } from "./table.ts";

/** Operands and arguments of one call of an op. */
export interface Sample {
  readonly inputs: readonly Operand[];
  readonly args: Args;
}

type Samples = fc.Arbitrary<Sample>;

const anyFloat = ["moderate", "special", "wide"] as const;

function sample(inputs: readonly fc.Arbitrary<Operand>[], args: Args = {}): Samples {
  return fc.tuple(...inputs).map((drawn) => ({ inputs: drawn, args }));
}

const binary = (dtypes: readonly DType[], ...fills: readonly Fill[]): Samples =>
  fc
    .tuple(broadcastable(2), fc.constantFrom(...dtypes))
    .chain(([[a, b], dtype]) => sample([operand(a!, dtype, ...fills), operand(b!, dtype, ...fills)]));

const unary = (dtypes: readonly DType[], ...fills: readonly Fill[]): Samples =>
  fc.tuple(shapes(), fc.constantFrom(...dtypes)).chain(([shape, dtype]) => sample([operand(shape, dtype, ...fills)]));

const float = (...fills: readonly Fill[]): Samples => unary(["float32"], ...fills);

/** Over no axis, one, several or all. */
function reduction(dtypes: readonly DType[], ofNothing: boolean, ...fills: readonly Fill[]): Samples {
  return fc.tuple(ofNothing ? shapes() : shapes().filter(isFull), fc.constantFrom(...dtypes)).chain(([shape, dtype]) =>
    fc
      .record({
        axes: fc.option(fc.shuffledSubarray(shape.map((_, axis) => axis)), { nil: undefined }),
        keepDim: fc.boolean(),
      })
      .chain(({ axes, keepDim }) =>
        sample([operand(shape, dtype, ...fills)], axes === undefined ? { keepDim } : { axes, keepDim }),
      ),
  );
}

/** A shape with at least one axis, and one of its axes, counted from either end. */
const withAxis = fc.tuple(shapes(1), fc.nat(), fc.boolean()).map(([shape, n, fromEnd]) => {
  const axis = n % shape.length;
  return { shape, axis, given: fromEnd ? axis - shape.length : axis };
});

const alongAxis = (...fills: readonly Fill[]): Samples =>
  withAxis.chain(({ shape, given }) => sample([operand(shape, "float32", ...fills)], { axis: given }));

/** x, and indices of x's shape but for the axis. */
const indexed = (
  dtypes: readonly DType[],
  build: (
    x: fc.Arbitrary<Operand>,
    indices: fc.Arbitrary<Operand>,
    source: fc.Arbitrary<Operand>,
  ) => fc.Arbitrary<Operand>[],
): Samples =>
  fc
    .tuple(withAxis, fc.constantFrom(...dtypes), fc.nat({ max: 9 }))
    .filter(([{ shape, axis }]) => shape[axis] !== 0)
    .chain(([{ shape, axis, given }, dtype, count]) => {
      const chosen = shape.map((size, other) => (other === axis ? count : size));
      const indices = operand(chosen, "int32", { below: shape[axis]! });
      return sample(build(operand(shape, dtype), indices, operand(chosen, dtype)), { axis: given });
    });

const matrices = fc
  .record({
    batches: broadcastable(2).map((pair) => pair.map((shape) => shape.slice(-2))),
    M: fc.constantFrom(0, 1, 2, 5, 8, 13),
    K: fc.constantFrom(0, 1, 3, 8, 17, 40),
    N: fc.constantFrom(0, 1, 4, 8, 9, 33),
    vectors: fc.constantFrom("none", "none", "none", "left", "right", "both"),
  })
  .chain(({ batches, M, K, N, vectors }) => {
    const lead = (shape: readonly number[] | undefined) => (shape ?? []).map((size) => Math.min(size, 3));
    const a = vectors === "left" || vectors === "both" ? [K] : [...lead(batches[0]), M, K];
    const b = vectors === "right" || vectors === "both" ? [K] : [...lead(batches[1]), K, N];
    return sample([operand(a, "float32", "small"), operand(b, "float32", "small")]);
  });

const linear = fc
  .record({
    lead: shapes(0, 2).map((shape) => shape.map((size) => Math.min(size, 9))),
    K: fc.constantFrom(0, 1, 3, 8, 17, 64),
    N: fc.constantFrom(0, 1, 4, 8, 9, 33),
    biased: fc.boolean(),
    activation: fc.constantFrom("none" as const, ...(Object.keys(activations) as (keyof typeof activations)[])),
  })
  .chain(({ lead, K, N, biased, activation }) => {
    const bias = biased ? [operand([N], "float32", "small")] : [];
    return sample([operand([...lead, K], "float32", "small"), operand([K, N], "float32", "small"), ...bias], {
      activation,
    });
  });

const targetLogProbs = fc
  .record({
    R: fc.constantFrom(0, 1, 2, 5, 9, 70),
    K: fc.constantFrom(0, 1, 3, 8, 17, 40),
    V: fc.constantFrom(1, 4, 9, 33),
  })
  .chain(({ R, K, V }) =>
    sample([
      operand([R, K], "float32", "small"),
      operand([K, V], "float32", "small"),
      operand([R], "int32", { below: V }),
    ]),
  );

const layerNorm = fc.tuple(shapes(1), fc.constantFrom(1e-5, 0.1)).chain(([shape, epsilon]) => {
  const C = [shape.at(-1)!];
  return sample([operand(shape), operand(C), operand(C)], { epsilon });
});

const embedding = fc.tuple(shapes(2, 2), shapes(0, 2)).chain(([table, ids]) => {
  const [V, C] = table as [number, number];
  const rows = Math.max(V, 1);
  return sample([operand([rows, C], "float32", ...anyFloat), operand(ids, "int32", { below: rows })]);
});

const heads = fc.record({
  H: fc.constantFrom(1, 2, 3),
  D: fc.constantFrom(1, 4, 5, 16, 64),
  causal: fc.boolean(),
  scale: fc.constantFrom(undefined, 0.25),
});

const attention = fc
  .tuple(
    heads,
    fc.array(fc.record({ length: fc.constantFrom(0, 1, 1, 2, 3, 9), past: fc.integer({ min: -1, max: 1 }) }), {
      maxLength: 4,
    }),
    fc.array(fc.constantFrom(0, 1, 5, 12), { minLength: 2, maxLength: 2 }),
  )
  .chain(([{ H, D, causal, scale }, parts, pastRows]) => {
    let T = 0;
    const used = [...new Set(parts.map(({ past }) => past).filter((past) => past >= 0))].sort();
    const segments = parts.map(({ length, past }) => {
      T += length;
      return { start: T - length, length, past: used.indexOf(past) };
    });
    const rows = [T, T, T, ...used.flatMap((past) => [pastRows[past]!, pastRows[past]!])];
    const options = { causal, segments, ...(scale === undefined ? {} : { scale }) };
    return sample(
      rows.map((length) => operand([length, H, D], "float32", "small")),
      options,
    );
  });

const attentionWeights = fc
  .tuple(heads, fc.constantFrom(0, 1, 2, 9), fc.constantFrom(undefined, 0, 1, 12))
  .chain(([{ H, D, causal, scale }, T, P]) => {
    const rows = [T, T, ...(P === undefined ? [] : [P])];
    const options = { causal, ...(scale === undefined ? {} : { scale }) };
    return sample(
      rows.map((length) => operand([length, H, D], "float32", "small")),
      options,
    );
  });

const concat = fc
  .tuple(
    withAxis,
    fc.constantFrom<DType>("float32", "int32", "uint8", "bool"),
    fc.array(fc.constantFrom(0, 1, 2, 5), { minLength: 1, maxLength: 3 }),
  )
  .chain(([{ shape, axis, given }, dtype, sizes]) =>
    sample(
      sizes.map((size) =>
        operand(
          shape.map((d, other) => (other === axis ? size : d)),
          dtype,
        ),
      ),
      { axis: given },
    ),
  );

const triangle = fc
  .tuple(shapes(2), fc.integer({ min: -4, max: 4 }))
  .chain(([shape, diagonal]) => sample([operand(shape, "float32", "special")], { diagonal }));

const ordered = (extra: (size: number) => fc.Arbitrary<Args>): Samples =>
  fc
    .tuple(withAxis, fc.constantFrom<DType>("float32", "int32"))
    .chain(([{ shape, axis, given }, dtype]) =>
      extra(shape[axis]!).chain((args) =>
        sample([operand(shape, dtype, "whole", ...anyFloat)], { axis: given, ...args }),
      ),
    );

/** Integers divided by integers other than 0, positive and negative. */
const quotients = broadcastable(2).chain(([a, b]) =>
  fc
    .tuple(operand(a!, "int32", "any"), operand(b!, "int32", "any"))
    .chain(([x, y]) => sample([fc.constant(x), fc.constant({ ...y, data: y.data.map((value) => value || 7) })])),
);

const numeric: readonly DType[] = ["float32", "int32"];
const all: readonly DType[] = ["float32", "int32", "uint8", "bool"];
const fills = [...anyFloat, "any"] as const;

const three = broadcastable(3);

/** For every op that runs a kernel, samples of its operands and arguments. A new op is tested by adding its row. */
export const generators: Readonly<Record<string, Samples>> = {
  add: binary(numeric, ...fills),
  sub: binary(numeric, ...fills),
  mul: binary(numeric, ...fills),
  div: binary(numeric, ...fills),
  truncDiv: quotients,
  mod: fc.oneof(binary(["float32"], ...anyFloat), quotients),
  pow: fc.oneof(binary(["float32"], "positive"), binary(["float32"], "whole", "special"), binary(["int32"], "any")),
  maximum: binary(numeric, ...fills),
  minimum: binary(numeric, ...fills),
  eq: binary(all, "whole", ...anyFloat),
  ne: binary(all, "whole", ...anyFloat),
  lt: binary(all, "whole", ...anyFloat),
  le: binary(all, "whole", ...anyFloat),
  gt: binary(all, "whole", ...anyFloat),
  ge: binary(all, "whole", ...anyFloat),
  logicalAnd: binary(["bool"]),
  logicalOr: binary(["bool"]),
  neg: unary(numeric, ...fills),
  abs: unary(numeric, ...fills),
  sign: unary(numeric, ...fills),
  square: unary(numeric, ...fills),
  sqrt: float(...anyFloat),
  rsqrt: float(...anyFloat),
  reciprocal: float(...anyFloat),
  exp: float(...anyFloat),
  expm1: float(...anyFloat),
  log: float("positive", ...anyFloat),
  log2: float("positive", ...anyFloat),
  log1p: float("positive", ...anyFloat),
  sin: float(...anyFloat),
  cos: float(...anyFloat),
  tanh: float(...anyFloat),
  sigmoid: float(...anyFloat),
  erf: float(...anyFloat),
  relu: float(...anyFloat),
  gelu: float(...anyFloat),
  geluExact: float(...anyFloat),
  silu: float(...anyFloat),
  quickGelu: float(...anyFloat),
  floor: float(...anyFloat),
  ceil: float(...anyFloat),
  round: float(...anyFloat),
  logicalNot: unary(["bool"]),
  isNaN: float("special"),
  copy: unary(all, ...anyFloat),
  cast: fc
    .tuple(unary(all, ...fills), fc.constantFrom(...all))
    .map(([drawn, dtype]) => ({ ...drawn, args: { dtype } })),
  where: fc
    .tuple(three, fc.constantFrom(...all))
    .chain(([[condition, a, b], dtype]) =>
      sample([operand(condition!, "bool"), operand(a!, dtype, "special"), operand(b!, dtype, "special")]),
    ),
  maskedFill: fc
    .tuple(shapes(), fc.constantFrom(...numeric))
    .chain(([shape, dtype]) => sample([operand(shape, dtype), operand(shape, "bool")], { value: 3 })),
  sum: reduction(numeric, true, "moderate", "any"),
  mean: reduction(["float32"], true, "moderate"),
  prod: fc.oneof(reduction(["float32"], true, "nearOne"), reduction(["int32"], true, "any")),
  max: reduction(numeric, false, ...fills),
  min: reduction(numeric, false, ...fills),
  logSumExp: reduction(["float32"], true, "moderate", "special"),
  argMax: reduction(numeric, false, "whole", ...fills),
  argMin: reduction(numeric, false, "whole", ...fills),
  any: reduction(["bool"], true),
  all: reduction(["bool"], true),
  cumsum: alongAxis("moderate"),
  softmax: alongAxis("moderate", "special"),
  logSoftmax: alongAxis("moderate", "special"),
  sort: ordered(() => fc.boolean().map((descending) => ({ descending }))),
  topK: ordered((size) => fc.nat({ max: size }).map((k) => ({ k }))),
  gather: indexed(all, (x, indices) => [x, indices]),
  scatter: indexed(all, (x, indices, source) => [x, indices, source]),
  scatterAdd: indexed(numeric, (x, indices, source) => [x, indices, source]),
  matmul: matrices,
  linear,
  targetLogProbs,
  layerNorm,
  embedding,
  attention,
  attentionWeights,
  concat,
  tril: triangle,
  triu: triangle,
};
