/**
 * Shapes at compile time. A size is a literal (`768`), a named run-time size (`Named<"T">`, made by {@link dim}), or
 * plain `number`, which is not known until run time and fits anything. Everything here has a run-time twin in
 * `../shape.ts` and `../ops/`; these types only move its errors to the editor.
 */
declare const sizeName: unique symbol;

/** A size known only at run time, but tracked by name: `Named<"T">` fits `Named<"T">` and not `Named<"U">` or `5`. */
export type Named<Name extends string> = number & { readonly [sizeName]: Name };

/** One size of a shape. */
export type Dim = number;

/** A tensor's shape: a tuple of sizes, or `readonly number[]` when not even the rank is known. */
export type Shape = readonly Dim[];

/** What a wrong shape turns into: no value has this type, so the message shows up in the compiler's error. */
export type ShapeError<Message extends string> = { readonly shapeError: Message };

/** Names a run-time size, so that the compiler can follow it: `const T = dim("T", ids.length)`. */
export function dim<const Name extends string>(_name: Name, size: number): Named<Name> {
  return size as Named<Name>;
}

/** The shape, if `R` is one; the unknown shape, if `R` is an error (which {@link Check} has reported). */
export type Ok<R> = R extends infer S extends Shape ? S : Shape;

/** Intersect a parameter with this to refuse arguments for which the rule `R` is a {@link ShapeError}. */
export type Check<R> = R extends readonly [] | readonly [unknown, ...unknown[]]
  ? unknown
  : R extends Shape
    ? unknown
    : R;

/** The shape of a tensor created with a literal shape: `zeros([2, 3])` is a `Tensor<[2, 3]>`. */
export type Literal<S extends Shape> = number extends S["length"] ? Shape : { -readonly [K in keyof S]: S[K] };

/** Whether a size is plain `number`. */
export type IsWide<D> = number extends D ? true : false;

/**
 * Whether two types are one and the same. It has an answer for type parameters too, for which others of these types wait
 * until they are known: code that is generic over sizes compiles by it.
 */
export type Identical<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Whether two sizes fit: plain `number` fits all. */
export type Same<A, B> =
  Identical<A, B> extends true
    ? true
    : [IsWide<A> | IsWide<B>] extends [false]
      ? [A] extends [B]
        ? [B] extends [A]
          ? true
          : false
        : false
      : true;

/** A size as messages show it. */
export type Show<D> = D extends Named<infer Name> ? Name : D extends number ? `${D}` : "?";

/** A shape as messages show it: `[T, 768]`. */
export type ShowShape<S extends Shape, Text extends string = ""> = S extends readonly [
  infer D,
  ...infer Rest extends Shape,
]
  ? ShowShape<Rest, Text extends "" ? Show<D> : `${Text}, ${Show<D>}`>
  : `[${Text}]`;

// ---- broadcasting and products -------------------------------------------------------------------------------------

type IsOne<D> = D extends 1 ? true : false;

/**
 * The size that two sizes broadcast to, as a tuple of one. The first line asks in this form because that has an answer for
 * type parameters as well: where B is 1, or the same parameter as A.
 */
type BroadcastDim<A, B> = { yes: true } extends { yes: IsOne<B> | Identical<A, B> }
  ? [A]
  : A extends 1
    ? [B]
    : Same<A, B> extends true
      ? [IsWide<A> extends true ? B : A]
      : [];

/** NumPy's broadcasting of two shapes. */
export type Broadcast<A extends Shape, B extends Shape, Tail extends Shape = []> = number extends A["length"]
  ? Shape
  : number extends B["length"]
    ? Shape
    : A extends readonly [...infer A0 extends Shape, infer X extends Dim]
      ? B extends readonly [...infer B0 extends Shape, infer Y extends Dim]
        ? BroadcastDim<X, Y> extends readonly [infer D extends Dim]
          ? Broadcast<A0, B0, [D, ...Tail]>
          : ShapeError<`broadcast: sizes ${Show<X>} and ${Show<Y>} differ`>
        : [...A, ...Tail]
      : [...B, ...Tail];

/** Refuses an operand of shape `B` beside one of shape `A`, unless they broadcast. */
export type CheckBroadcast<A extends Shape, B extends Shape> =
  Identical<A, B> extends true ? unknown : Check<Broadcast<A, B>>;

/** The shape of an elementwise result: like {@link Broadcast}, and simply `A` for a scalar `B`. */
export type Elementwise<A extends Shape, B extends Shape> =
  Identical<B, []> extends true ? A : Identical<A, B> extends true ? A : Ok<Broadcast<A, B>>;

type Inner<K, L, Result> =
  Same<K, L> extends true ? Result : ShapeError<`matmul: inner sizes ${Show<K>} and ${Show<L>} differ`>;

/** `[..., M, K] × [..., K, N]`, with vectors as in PyTorch: a 1-D operand loses its axis in the result. */
export type MatMul<A extends Shape, B extends Shape> = number extends A["length"]
  ? Shape
  : number extends B["length"]
    ? Shape
    : A extends readonly [...infer BatchA extends Shape, infer M extends Dim, infer K extends Dim]
      ? B extends readonly [...infer BatchB extends Shape, infer L extends Dim, infer N extends Dim]
        ? Inner<
            K,
            L,
            Broadcast<BatchA, BatchB> extends infer Batch extends Shape ? [...Batch, M, N] : Broadcast<BatchA, BatchB>
          >
        : B extends readonly [infer L extends Dim]
          ? Inner<K, L, [...BatchA, M]>
          : ShapeError<"matmul: a scalar operand">
      : A extends readonly [infer K extends Dim]
        ? B extends readonly [...infer BatchB extends Shape, infer L extends Dim, infer N extends Dim]
          ? Inner<K, L, [...BatchB, N]>
          : B extends readonly [infer L extends Dim]
            ? Inner<K, L, []>
            : ShapeError<"matmul: a scalar operand">
        : ShapeError<"matmul: a scalar operand">;
