import type { View } from "../backends/backend.ts";
import type { DType } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { expectRank } from "../ops/checks.ts";
import * as matmulOps from "../ops/matmul.ts";
import { namedAxes } from "../ops/views.ts";
import { showValue } from "../options.ts";
import type { Arithmetic } from "../promotion.ts";
import { showShape, sizeOf } from "../shape.ts";
import { type AnyTensor, type Tensor, wrap } from "../tensor.ts";
import type { Einsum } from "../types/einsum.ts";
import type { Check, MatMul, Ok, Shape } from "../types/shape-types.ts";
import { operand } from "./operand.ts";

/** `[..., M, K] × [..., K, N] → [..., M, N]`; leading axes broadcast, vectors are promoted as in `torch.matmul`. */
export function matmul<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & Check<MatMul<A, B>>,
): Tensor<Ok<MatMul<A, B>>> {
  return wrap(matmulOps.matmul(a, b as View));
}

/** Σ a · b of two vectors. */
export function dot<N extends number, D extends DType>(
  a: Tensor<[N], D>,
  b: Tensor<[NoInfer<N>], D>,
): Tensor<[], Arithmetic<D, D>> {
  const [left, right] = vectors("dot", a as AnyTensor, b as AnyTensor);
  if (left.size !== right.size) {
    throw new ShapeMismatchError("dot", `sizes ${left.size} and ${right.size} differ`);
  }
  const product = left.dtype === "float32" && right.dtype === "float32" ? matmul : sumOfProducts;
  return product(left as Tensor<Shape>, right as Tensor<Shape>) as unknown as Tensor<[], Arithmetic<D, D>>;
}

function sumOfProducts(a: Tensor<Shape>, b: Tensor<Shape>): Tensor<Shape> {
  return tidy(() => a.mul(b).sum());
}

/** Every product of an element of one vector and one of the other: `[N]`, `[M]` → `[N, M]`. */
export function outer<N extends number, M extends number, D extends DType>(
  a: Tensor<[N], D>,
  b: Tensor<[M], D>,
): Tensor<[N, M], Arithmetic<D, D>> {
  const [left, right] = vectors("outer", a as AnyTensor, b as AnyTensor);
  return tidy(() => left.unsqueeze(1).mul(right)) as unknown as Tensor<[N, M], Arithmetic<D, D>>;
}

function vectors(op: string, a: AnyTensor, b: AnyTensor): readonly [AnyTensor, AnyTensor] {
  const pair = [operand(op, a), operand(op, b)] as const;
  for (const vector of pair) expectRank(op, "an operand", vector, 1, "[N]");
  return pair;
}

/**
 * Einstein's sums of two float32 tensors, as `torch.einsum` has them: `einsum("bij,bjk->bik", a, b)` is a product of matrices. A letter
 * names an axis; those behind the arrow stay, the others are summed over. Without an arrow the letters that occur once stay, in the order
 * of the alphabet. (No `...`, no spaces.) Runs as sums and one `matmul`.
 */
export function einsum<const E extends string, A extends Shape, B extends Shape>(
  equation: E,
  a: Tensor<A>,
  b: Tensor<B> & Check<Einsum<E, A, B>>,
): Tensor<Ok<Einsum<E, A, B>>> {
  const { left, right, out } = parse(equation);
  return tidy(() => {
    const x = named(left, a as Tensor<Shape>);
    const y = named(right, b as Tensor<Shape>);
    const sizes = new Map([...entries(y), ...entries(x)]);
    for (const [letter, size] of entries(y)) {
      if (sizes.get(letter) === size) continue;
      throw new ShapeMismatchError("einsum", `${letter} is ${sizes.get(letter)} and ${size} in ${equation}`);
    }
    const only = (one: Named, other: Named) => one.names.filter((name) => !other.names.includes(name));
    const kept = (names: readonly string[]) => names.filter((name) => out.includes(name));
    const shared = x.names.filter((name) => y.names.includes(name));
    const [batch, inner] = [kept(shared), shared.filter((name) => !out.includes(name))];
    const [rows, columns] = [kept(only(x, y)), kept(only(y, x))];
    const size = (names: readonly string[]) => names.map((name) => sizes.get(name)!);
    const matrix = (operand: Named, first: readonly string[], last: readonly string[]) =>
      ordered(operand, [...batch, ...first, ...last]).reshape([
        ...size(batch),
        sizeOf(size(first)),
        sizeOf(size(last)),
      ]);
    const product = matrix(x, rows, inner).matmul(matrix(y, inner, columns));
    const names = [...batch, ...rows, ...columns];
    return ordered({ names, tensor: product.reshape(size(names)) }, [...out]);
  }) as Tensor<Ok<Einsum<E, A, B>>>;
}

interface Named {
  readonly names: readonly string[];
  readonly tensor: Tensor<Shape>;
}

function parse(equation: string): { left: string; right: string; out: string } {
  const [, left, right, out] = /^([a-zA-Z]*),([a-zA-Z]*)(?:->([a-zA-Z]*))?$/.exec(String(equation)) ?? [];
  if (left === undefined || right === undefined) {
    throw new ShapeMismatchError("einsum", `expected letters such as "ij,jk->ik", got ${showValue(equation)}`);
  }
  const all = left + right;
  const once = [...new Set(all)].filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter));
  const result = out ?? once.sort().join("");
  for (const [i, letter] of [...result].entries()) {
    if (all.includes(letter) && result.indexOf(letter) === i) continue;
    throw new ShapeMismatchError(
      "einsum",
      `${letter} behind the arrow must be an axis of an operand, and occur there once`,
    );
  }
  return { left, right, out: result };
}

/** An operand with an axis for each of its letters. */
function named(letters: string, x: Tensor<Shape>): Named {
  const given = operand("einsum", x, "float32");
  if (letters.length !== given.rank) {
    throw new ShapeMismatchError("einsum", `"${letters}" names ${letters.length} axes of ${showShape(given.shape)}`);
  }
  for (const [axis, letter] of [...letters].entries()) {
    const first = letters.indexOf(letter);
    if (given.shape[first] === given.shape[axis]) continue;
    throw new ShapeMismatchError("einsum", `${letter} is ${given.shape[first]} and ${given.shape[axis]} in ${letters}`);
  }
  const { view, names } = namedAxes(given, [...letters]);
  return { names, tensor: wrap(view) };
}

function entries({ names, tensor }: Named): [string, number][] {
  return names.map((name, axis) => [name, tensor.shape[axis]!]);
}

/** The tensor with axes in the order of `names`, summed over all others. */
function ordered(x: Named, names: readonly string[]): Tensor<Shape> {
  const others = x.names.flatMap((name, axis) => (names.includes(name) ? [] : [axis]));
  const rest = x.names.filter((name) => names.includes(name));
  const summed = others.length === 0 ? x.tensor : x.tensor.sum(others);
  return summed.permute(names.map((name) => rest.indexOf(name)));
}
