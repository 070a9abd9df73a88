import fc from "fast-check";
import { expect, it } from "vitest";
import type { Backend, View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import { type Activation, activations } from "../../src/ops/activation.ts";
import { attention, attentionWeights } from "../../src/ops/attention.ts";
import { add, div, eq, mul, sub } from "../../src/ops/binary.ts";
import { targetLogProbs } from "../../src/ops/cross-entropy.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { gather, maskedFill, scatter, scatterAdd, sort, topK } from "../../src/ops/indexing.ts";
import { linear, matmul } from "../../src/ops/matmul.ts";
import { layerNorm } from "../../src/ops/normalize.ts";
import { concat, contiguous, reshape, tril, triu } from "../../src/ops/rearrange.ts";
import { argMax, cumsum, logSumExp, max, mean, min, sum } from "../../src/ops/reduce.ts";
import { logSoftmax, softmax } from "../../src/ops/softmax.ts";
import { cast, erf, exp, gelu, log, neg, sigmoid, silu, square, tanh } from "../../src/ops/unary.ts";
import { permute, slice, split, squeeze, transpose, unsqueeze } from "../../src/ops/views.ts";
import { describeOnEveryBackend } from "../backends.ts";
import { isFull, operand, shapes } from "./arbitraries.ts";
import { expectValues, type Tolerance } from "./compare.ts";
import { evaluate, type Operand, type Values } from "./operands.ts";

const exactly: Tolerance = { ulps: 0 };
/** For products and sums of a few dozen numbers below 1 in size; float32 has ε = 6·10⁻⁸. */
const rounding: Tolerance = { ulps: 8, abs: 2e-5 };

const runs = { seed: 2026, numRuns: 25 };

/** Random operands of shapes made from the sizes `letters` names, with any strides. */
function operands<const Letters extends string>(
  letters: readonly Letters[],
  build: (size: Record<Letters, number>) => readonly (readonly number[])[],
  sizes: readonly number[] = [1, 2, 3, 5, 8, 17],
): fc.Arbitrary<{ size: Record<Letters, number>; drawn: Operand[] }> {
  return fc
    .array(fc.constantFrom(...sizes), { minLength: letters.length, maxLength: letters.length })
    .chain((chosen) => {
      const size = Object.fromEntries(letters.map((letter, i) => [letter, chosen[i]!])) as Record<Letters, number>;
      const drawn = fc.tuple(...build(size).map((shape) => operand(shape, "float32", "small")));
      return fc.record({ size: fc.constant(size), drawn });
    });
}

const rows = operands(["R", "N"], ({ R, N }) => [[R, N]]);

/** One float32 operand of any shape with at least one axis and one element. */
const anything = shapes(1)
  .filter(isFull)
  .chain((shape) => operand(shape, "float32", "moderate"));

function scalar(backend: Backend, value: number): View {
  return wholeView(backend.upload("float32", Float32Array.of(value)), []);
}

describeOnEveryBackend("the ops obey the laws of arithmetic", (backend) => {
  /** Checks that two ways to compute something from the same operands agree. */
  function agree(
    drawn: readonly Operand[],
    one: (views: View[]) => View | readonly View[],
    other: (views: View[]) => View | readonly View[],
    tolerance: Tolerance,
  ): void {
    expectValues(evaluate(backend, drawn, one), evaluate(backend, drawn, other), tolerance);
  }

  const one = (drawn: readonly Operand[], f: (views: View[]) => View): Values => evaluate(backend, drawn, f)[0]!;

  it("matrix products are associative up to rounding", () => {
    const triples = operands(["A", "B", "C", "D"], ({ A, B, C, D }) => [
      [A, B],
      [B, C],
      [C, D],
    ]);
    fc.assert(
      fc.property(triples, ({ drawn }) =>
        agree(
          drawn,
          ([a, b, c]) => matmul(matmul(a!, b!), c!),
          ([a, b, c]) => matmul(a!, matmul(b!, c!)),
          { ulps: 16, abs: 1e-4 },
        ),
      ),
      runs,
    );
  });

  it("matrix products distribute over sums", () => {
    const triples = operands(["A", "B", "C"], ({ A, B, C }) => [
      [A, B],
      [B, C],
      [B, C],
    ]);
    fc.assert(
      fc.property(triples, ({ drawn }) =>
        agree(
          drawn,
          ([a, b, c]) => matmul(a!, add(b!, c!)),
          ([a, b, c]) => add(matmul(a!, b!), matmul(a!, c!)),
          rounding,
        ),
      ),
      runs,
    );
  });

  it("the transpose of a product is the product of the transposes, swapped", () => {
    const pairs = operands(["A", "B", "C"], ({ A, B, C }) => [
      [A, B],
      [B, C],
    ]);
    const T = (x: View) => transpose(x, -2, -1);
    fc.assert(
      fc.property(pairs, ({ drawn }) =>
        agree(
          drawn,
          ([a, b]) => T(matmul(a!, b!)),
          ([a, b]) => matmul(T(b!), T(a!)),
          rounding,
        ),
      ),
      runs,
    );
  });

  it("a row of a product does not depend on the other rows", () => {
    const pairs = operands(["M", "K", "N"], ({ M, K, N }) => [
      [M, K],
      [K, N],
    ]);
    fc.assert(
      fc.property(pairs, ({ size, drawn }) => {
        const alone = ([a, b]: View[]) =>
          concat(
            split(a!, Array(size.M).fill(1), 0).map((row) => matmul(row, b!)),
            0,
          );
        agree(drawn, ([a, b]) => matmul(a!, b!), alone, exactly);
      }),
      runs,
    );
  });

  it("linear is a product, a sum and an activation, also with packed weights", () => {
    const triples = operands(["M", "K", "N"], ({ M, K, N }) => [[M, K], [K, N], [N]]);
    fc.assert(
      fc.property(triples, ({ drawn }) => {
        agree(
          drawn,
          ([x, w, b]) => linear(x!, w!, b!),
          ([x, w, b]) => add(matmul(x!, w!), b!),
          rounding,
        );
        agree(
          drawn,
          ([x, w, b]) => linear(x!, w!, b!, "gelu"),
          ([x, w, b]) => gelu(add(matmul(x!, w!), b!)),
          rounding,
        );
        for (const [name, activation] of Object.entries(activations)) {
          if (name === "gelu") continue; // within the product, on sums that are not rounded yet
          agree(
            drawn,
            ([x, w, b]) => linear(x!, w!, b!, name as Activation),
            ([x, w, b]) => activation(linear(x!, w!, b!)),
            exactly,
          );
        }
        const packed = ([x, w, b]: View[]) => linear(x!, backend.pack(w as View<"float32">), b!);
        agree(drawn, packed, ([x, w, b]) => linear(x!, w!, b!), exactly);
      }),
      runs,
    );
  });

  it("softmax gives probabilities, the same ones for shifted scores", () => {
    fc.assert(
      fc.property(rows, ({ size, drawn }) => {
        const totals = one(drawn, ([x]) => sum(softmax(x!, -1), -1));
        for (const total of totals.data) expect(total).toBeCloseTo(1, 5);
        expect(totals.data).toHaveLength(size.R);
        agree(
          drawn,
          ([x]) => softmax(add(x!, scalar(backend, 3)), -1),
          ([x]) => softmax(x!, -1),
          { ulps: 16 },
        );
      }),
      runs,
    );
  });

  it("logSoftmax is the logarithm of softmax, and x − logSumExp", () => {
    fc.assert(
      fc.property(rows, ({ drawn }) => {
        agree(
          drawn,
          ([x]) => logSoftmax(x!, -1),
          ([x]) => log(softmax(x!, -1)),
          { ulps: 8, abs: 1e-6 },
        );
        agree(
          drawn,
          ([x]) => logSoftmax(x!, 0),
          ([x]) => sub(x!, logSumExp(x!, 0, true)),
          { ulps: 8, abs: 1e-6 },
        );
        agree(
          drawn,
          ([x]) => logSumExp(x!, 1),
          ([x]) => log(sum(exp(x!), 1)),
          { ulps: 8, abs: 1e-6 },
        );
      }),
      runs,
    );
  });

  it("sort, topK, argMax, max and gather agree", () => {
    const tied = shapes(1, 3)
      .filter(isFull)
      .chain((shape) => operand(shape, "float32", "whole", "moderate"));
    fc.assert(
      fc.property(tied, (x) => {
        const descending = ([v]: View[]) => sort(v!, -1, true);
        agree(
          [x],
          (v) => descending(v).values,
          (v) => gather(v[0]!, -1, descending(v).indices),
          exactly,
        );
        const all = ([v]: View[]) => topK(v!, v!.shape.at(-1)!, -1);
        agree(
          [x],
          (v) => [all(v).values, all(v).indices],
          (v) => [descending(v).values, descending(v).indices],
          exactly,
        );
        agree(
          [x],
          ([v]) => argMax(v!, -1, true),
          ([v]) => topK(v!, 1, -1).indices,
          exactly,
        );
        agree(
          [x],
          ([v]) => max(v!, -1, true),
          ([v]) => topK(v!, 1, -1).values,
          exactly,
        );
        agree(
          [x],
          ([v]) => min(v!, -1),
          ([v]) => neg(max(neg(v!), -1)),
          { ulps: 0, anyZero: true },
        );
      }),
      runs,
    );
  });

  it("scatter undoes gather by a permutation", () => {
    fc.assert(
      fc.property(anything, (x) => {
        const order = (v: View) => sort(v, 0).indices;
        const there = ([v]: View[]) => gather(v!, 0, order(v!));
        agree(
          [x],
          (v) => scatter(sub(v[0]!, v[0]!), 0, order(v[0]!), there(v)),
          ([v]) => v!,
          { ulps: 0, anyZero: true },
        );
        agree(
          [x],
          (v) => scatterAdd(sub(v[0]!, v[0]!), 0, order(v[0]!), there(v)),
          ([v]) => v!,
          { ulps: 0, anyZero: true },
        );
      }),
      runs,
    );
  });

  it("concat undoes split", () => {
    fc.assert(
      fc.property(anything, fc.nat({ max: 33 }), (x, cut) => {
        const pieces = (v: View) => {
          const size = v.shape.at(-1)!;
          const first = Math.min(cut, size);
          return split(v, [first, size - first], -1);
        };
        agree(
          [x],
          ([v]) => concat(pieces(v!), -1),
          ([v]) => v!,
          exactly,
        );
      }),
      runs,
    );
  });

  it("reshape and permute are undone by their inverses, and contiguous changes nothing", () => {
    fc.assert(
      fc.property(anything, (x) => {
        agree(
          [x],
          ([v]) => reshape(reshape(v!, [-1]), v!.shape),
          ([v]) => v!,
          exactly,
        );
        const reversed = (v: View) =>
          permute(
            v,
            v.shape.map((_, axis) => -1 - axis),
          );
        agree(
          [x],
          ([v]) => reversed(reversed(v!)),
          ([v]) => contiguous(v!),
          exactly,
        );
      }),
      runs,
    );
  });

  it("the triangles make up the matrix", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: -3, max: 3 }), ({ drawn }, diagonal) =>
        agree(
          drawn,
          ([x]) => add(tril(x!, diagonal), triu(x!, diagonal + 1)),
          ([x]) => x!,
          exactly,
        ),
      ),
      runs,
    );
  });

  it("sums agree, however they are taken", () => {
    fc.assert(
      fc.property(rows, ({ size, drawn }) => {
        agree(
          drawn,
          ([x]) => sum(x!),
          ([x]) => sum(sum(x!, 0), 0),
          rounding,
        );
        agree(
          drawn,
          ([x]) => mean(x!, 1),
          ([x]) => div(sum(x!, 1), scalar(backend, size.N)),
          rounding,
        );
        agree(
          drawn,
          ([x]) => slice(cumsum(x!, 1), 1, -1),
          ([x]) => sum(x!, 1, true),
          rounding,
        );
        const ones = ([x]: View[]) => add(mul(slice(x!, 0, 0, 1), scalar(backend, 0)), scalar(backend, 1));
        agree(
          drawn,
          ([x]) => sum(x!, 1),
          ([x]) => matmul(x!, reshape(ones([x!]), [size.N])),
          rounding,
        );
      }),
      runs,
    );
  });

  it("layerNorm gives rows of mean 0 and variance 1", () => {
    const spread = fc.uniqueArray(fc.integer({ min: -99, max: 99 }), { minLength: 12, maxLength: 40 });
    fc.assert(
      fc.property(spread, fc.constantFrom(1, 2, 3, 4), (numbers, R) => {
        const C = Math.floor(numbers.length / R);
        const x: Operand = { dtype: "float32", shape: [R, C], data: numbers.slice(0, R * C) };
        const normal = ([v]: View[]) => {
          const first = reshape(slice(v!, 0, 0, 1), [C]);
          return layerNorm(v!, eqOnes(first), sub(first, first), 0);
        };
        for (const value of one([x], (v) => mean(normal(v), -1)).data) expect(value).toBeCloseTo(0, 5);
        for (const value of one([x], (v) => mean(square(normal(v)), -1)).data) expect(value).toBeCloseTo(1, 5);
      }),
      runs,
    );
  });

  it("layerNorm is a subtraction, a division and a product in plain ops", () => {
    const layers = operands(["R", "C"], ({ R, C }) => [[R, C], [C], [C]], [3, 8, 17, 64]);
    fc.assert(
      fc.property(layers, ({ drawn }) =>
        agree(
          drawn,
          ([x, w, b]) => layerNorm(x!, w!, b!),
          ([x, w, b]) => layerNormInPlainOps(x!, w!, b!),
          { ulps: 64, abs: 1e-4 },
        ),
      ),
      runs,
    );
  });

  /** Ones of the shape of w. */
  const eqOnes = (w: View): View => cast(eq(w, w), "float32");

  const layerNormInPlainOps = (x: View, w: View, b: View): View => {
    const centred = sub(x, mean(x, -1, true));
    const variance = add(mean(square(centred), -1, true), scalar(backend, 1e-5));
    const scale = exp(mul(log(variance), scalar(backend, -0.5)));
    return add(mul(mul(centred, scale), w), b);
  };

  it("embedding is a product with one-hot rows, also out of a packed table", () => {
    const tables = operands(["V", "C"], ({ V, C }) => [[V, C]]).chain(({ size, drawn }) =>
      fc.tuple(fc.constant(drawn[0]!), operand([3, 2], "int32", { below: size.V })),
    );
    fc.assert(
      fc.property(tables, (drawn) => {
        const T = (x: View) => transpose(x, 0, 1);
        const packed = ([t, ids]: View[]) => embedding(T(backend.pack(T(t!) as View<"float32">)), ids!);
        agree(drawn, packed, ([t, ids]) => embedding(t!, ids!), exactly);
        const numbers = ([t]: View[]) => sub(cumsum(eqOnes(slice(t!, 1, 0, 1)), 0), scalar(backend, 1));
        const oneHot = (views: View[]) =>
          cast(eq(unsqueeze(views[1]!, -1), reshape(cast(numbers(views), "int32"), [-1])), "float32");
        agree(
          drawn,
          (v) => matmul(oneHot(v), v[0]!),
          ([t, ids]) => embedding(t!, ids!),
          { ulps: 0, anyZero: true },
        );
      }),
      runs,
    );
  });

  it("log-probabilities of targets are those that the logits have, to the bit", () => {
    const rows = operands(["R", "K", "V"], ({ R, K, V }) => [
      [R, K],
      [K, V],
    ]).chain(({ size, drawn }) => operand([size.R], "int32", { below: size.V }).map((targets) => [...drawn, targets]));
    fc.assert(
      fc.property(rows, (drawn) => {
        const fused = ([x, w, targets]: View[]) => {
          const { logProbs, logSumExp } = targetLogProbs(x!, w!, targets!);
          return [logProbs, logSumExp];
        };
        const stepByStep = ([x, w, targets]: View[]) => {
          const logits = matmul(x!, w!);
          return [squeeze(gather(logSoftmax(logits, -1), -1, unsqueeze(targets!, -1)), -1), logSumExp(logits, -1)];
        };
        agree(drawn, fused, stepByStep, exactly);
        const packed = ([x, w, targets]: View[]) => fused([x!, backend.pack(w as View<"float32">), targets!]);
        agree(drawn, packed, stepByStep, exactly);
      }),
      runs,
    );
  });

  const heads = (rowsOf: readonly ("T" | "P")[]) =>
    operands(["T", "P", "H", "D"], ({ T, P, H, D }) => rowsOf.map((of) => [of === "T" ? T : P, H, D]), [1, 2, 3, 4, 8]);

  it("attention is softmax(q·kᵀ/√D + mask)·v in plain ops", () => {
    const headsFirst = (x: View) => permute(x, [1, 0, 2]);
    const plainWeights = (q: View, k: View, causal: boolean): View => {
      const scores = matmul(headsFirst(q), transpose(headsFirst(k), 1, 2));
      const scaled = mul(scores, scalar(backend, 1 / Math.sqrt(q.shape[2]!)));
      if (!causal) return softmax(scaled, -1);
      const hidden = cast(triu(eqOnes(scaled), 1), "bool");
      return softmax(maskedFill(scaled, hidden, -Infinity), -1);
    };
    fc.assert(
      fc.property(heads(["T", "T", "T"]), fc.boolean(), ({ drawn }, causal) => {
        const plain = ([q, k, v]: View[]) => headsFirst(matmul(plainWeights(q!, k!, causal), headsFirst(v!)));
        agree(drawn, ([q, k, v]) => attention(q!, k!, v!, { causal }), plain, { ulps: 16, abs: 2e-6 });
        const weights = ([q, k]: View[]) => attentionWeights(q!, k!, { causal });
        agree(drawn, weights, ([q, k]) => plainWeights(q!, k!, causal), { ulps: 16, abs: 1e-6 });
      }),
      runs,
    );
  });

  it("attention over packed segments is, bit for bit, that over each alone", () => {
    fc.assert(
      fc.property(
        heads(["T", "T", "T", "P", "P"]),
        fc.nat({ max: 8 }),
        fc.boolean(),
        ({ size: { T }, drawn }, cut, shared) => {
          const first = Math.min(cut, T);
          const parts = [
            { start: 0, length: first, hasPast: true },
            { start: first, length: T - first, hasPast: shared },
          ];
          const together = ([q, k, v, key, value]: View[]) => {
            const past = { key: key!, value: value! };
            return attention(q!, k!, v!, {
              segments: parts.map((part) => ({ ...part, past: part.hasPast ? past : undefined })),
            });
          };
          const apart = ([q, k, v, key, value]: View[]) =>
            concat(
              parts.map(({ start, length, hasPast }) => {
                const [partQ, partK, partV] = [q!, k!, v!].map((x) => slice(x, 0, start, start + length)) as [
                  View,
                  View,
                  View,
                ];
                const past = hasPast ? { key: key!, value: value! } : undefined;
                return attention(partQ, partK, partV, { segments: [{ start: 0, length, past }] });
              }),
              0,
            );
          agree(drawn, together, apart, exactly);
        },
      ),
      runs,
    );
  });

  it("attention after a past is the end of attention over everything", () => {
    fc.assert(
      fc.property(heads(["T", "T", "T"]), fc.nat({ max: 7 }), ({ size: { T }, drawn }, cut) => {
        const P = Math.min(cut, T - 1);
        const tail = (x: View) => slice(x, 0, P);
        const head = (x: View) => slice(x, 0, 0, P);
        const withPast = ([q, k, v]: View[]) => {
          const past = { key: head(k!), value: head(v!) };
          const options = { segments: [{ start: 0, length: T - P, past }] };
          return [attention(tail(q!), tail(k!), tail(v!), options), attentionWeights(tail(q!), tail(k!), { past })];
        };
        const whole = ([q, k, v]: View[]) => [tail(attention(q!, k!, v!)), slice(attentionWeights(q!, k!), 1, P)];
        agree(drawn, withPast, whole, { ulps: 8, abs: 1e-6 });
      }),
      runs,
    );
  });

  it("elementary functions keep their identities", () => {
    fc.assert(
      fc.property(anything, (x) => {
        agree(
          [x],
          ([v]) => log(exp(v!)),
          ([v]) => v!,
          { ulps: 8, abs: 1e-6 },
        );
        agree(
          [x],
          ([v]) => tanh(neg(v!)),
          ([v]) => neg(tanh(v!)),
          exactly,
        );
        agree(
          [x],
          ([v]) => erf(neg(v!)),
          ([v]) => neg(erf(v!)),
          exactly,
        );
        agree(
          [x],
          ([v]) => sigmoid(v!),
          ([v]) => div(add(tanh(div(v!, scalar(backend, 2))), scalar(backend, 1)), scalar(backend, 2)),
          { ulps: 4, abs: 1e-7 },
        );
        agree(
          [x],
          ([v]) => sub(gelu(v!), gelu(neg(v!))),
          ([v]) => v!,
          { ulps: 4, abs: 1e-6 },
        );
        agree(
          [x],
          ([v]) => silu(v!),
          ([v]) => mul(v!, sigmoid(v!)),
          { ulps: 2, abs: 2 ** -126 },
        );
        agree(
          [x],
          ([v]) => mul(v!, v!),
          ([v]) => square(v!),
          exactly,
        );
      }),
      runs,
    );
  });
});
