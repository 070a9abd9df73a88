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
export type Ok<R> = R extends Shape ? R : Shape;

/** Intersect a parameter with this to refuse arguments for which the rule `R` is a {@link ShapeError}. */
export type Check<R> = R extends Shape ? unknown : R;

/** The shape of a tensor created with a literal shape: `zeros([2, 3])` is a `Tensor<[2, 3]>`. */
export type Literal<S extends Shape> = number extends S["length"] ? Shape : { -readonly [K in keyof S]: S[K] };

type IsWide<D> = number extends D ? true : false;

type Same<A, B> = [IsWide<A> | IsWide<B>] extends [false]
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

type BroadcastDim<A, B> =
  Same<A, B> extends true ? (IsWide<A> extends true ? B : A) : A extends 1 ? B : B extends 1 ? A : never;

/** NumPy's broadcasting of two shapes. */
export type Broadcast<A extends Shape, B extends Shape, Tail extends Shape = []> = number extends A["length"]
  ? Shape
  : number extends B["length"]
    ? Shape
    : A extends readonly [...infer A0 extends Shape, infer X extends Dim]
      ? B extends readonly [...infer B0 extends Shape, infer Y extends Dim]
        ? [BroadcastDim<X, Y>] extends [never]
          ? ShapeError<`broadcast: sizes ${Show<X>} and ${Show<Y>} differ`>
          : Broadcast<A0, B0, [BroadcastDim<X, Y> & number, ...Tail]>
        : [...A, ...Tail]
      : [...B, ...Tail];

/** The shape of an elementwise result: like {@link Broadcast}, and simply `A` for a scalar `B`. */
export type Elementwise<A extends Shape, B extends Shape> = B extends readonly [] ? A : Ok<Broadcast<A, B>>;

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

// ---- axes ----------------------------------------------------------------------------------------------------------

type OfLength<N extends number, T extends unknown[] = []> = T["length"] extends N ? T : OfLength<N, [...T, unknown]>;

/** The axis as a plain index, counted from the end when negative; `never` when there is no such axis. */
type AxisIndex<S extends Shape, Axis extends number> = `${Axis}` extends `-${infer Back extends number}`
  ? S extends readonly [...infer Front, ...OfLength<Back>]
    ? Front["length"]
    : never
  : `${Axis}` extends keyof S
    ? Axis
    : never;

type ReplaceAt<S extends Shape, Index extends number, New extends Shape, Done extends Shape = []> = S extends readonly [
  infer D extends Dim,
  ...infer Rest extends Shape,
]
  ? Done["length"] extends Index
    ? [...Done, ...New, ...Rest]
    : ReplaceAt<Rest, Index, New, [...Done, D]>
  : [...Done, ...New];

/** `S` with the size at `Axis` replaced by the sizes `New` (none, to drop the axis). */
export type ReplaceAxis<
  Op extends string,
  S extends Shape,
  Axis extends number,
  New extends Shape,
> = number extends S["length"]
  ? Shape
  : number extends Axis
    ? Shape
    : [AxisIndex<S, Axis>] extends [never]
      ? ShapeError<`${Op}: there is no axis ${Axis} in ${ShowShape<S>}`>
      : ReplaceAt<S, AxisIndex<S, Axis>, New>;

/** `S` after a reduction over `Axis` (all axes when undefined), with or without keeping it at size one. */
export type Reduce<S extends Shape, Axis extends number | undefined, Keep extends boolean> = number extends S["length"]
  ? Shape
  : Axis extends number
    ? ReplaceAxis<"reduce", S, Axis, Keep extends true ? [1] : []>
    : Keep extends true
      ? { [K in keyof S]: 1 }
      : [];

/** `S` with a new axis of size one before `Axis`. */
export type Unsqueeze<S extends Shape, Axis extends number> = number extends S["length"]
  ? Shape
  : number extends Axis
    ? Shape
    : `${Axis}` extends `-${string}`
      ? [...S, 1] extends infer Longer extends Shape
        ? ReplaceAt<S, AxisIndex<Longer, Axis>, [1, ...SizeAt<S, AxisIndex<Longer, Axis>>]>
        : never
      : ReplaceAt<S, Axis, [1, ...SizeAt<S, Axis>]>;

type SizeAt<S extends Shape, Index extends number> = `${Index}` extends keyof S ? [S[Index] & Dim] : [];

/** `S` with its two axes exchanged. */
export type Transpose<S extends Shape, A extends number, B extends number> = number extends S["length"]
  ? Shape
  : true extends IsWide<A> | IsWide<B>
    ? Shape
    : [AxisIndex<S, A>] extends [never]
      ? ShapeError<`transpose: there is no axis ${A} in ${ShowShape<S>}`>
      : [AxisIndex<S, B>] extends [never]
        ? ShapeError<`transpose: there is no axis ${B} in ${ShowShape<S>}`>
        : ReplaceAt<
            ReplaceAt<S, AxisIndex<S, A>, [S[AxisIndex<S, B>] & Dim]>,
            AxisIndex<S, B>,
            [S[AxisIndex<S, A>] & Dim]
          >;

/** `S` with its axes in the order `Axes`. */
export type Permute<S extends Shape, Axes extends readonly number[]> = number extends S["length"]
  ? Shape
  : number extends Axes["length"]
    ? Shape
    : Axes["length"] extends S["length"]
      ? { -readonly [K in keyof Axes]: S[AxisIndex<S, Axes[K]>] & Dim }
      : ShapeError<`permute: ${Axes["length"]} axes given for ${ShowShape<S>}`>;

// ---- reshape -------------------------------------------------------------------------------------------------------

/** `S` reshaped to `R`: refused when all the sizes that differ are literals and their products do too. */
export type Reshape<S extends Shape, R extends Shape> = number extends S["length"]
  ? Shape
  : number extends R["length"]
    ? Shape
    : true extends HasUnknown<S> | HasUnknown<R>
      ? { -readonly [K in keyof R]: R[K] extends -1 ? number : R[K] }
      : Leftover<S, R> extends [infer A extends Shape, infer B extends Shape]
        ? true extends HasNamed<A> | HasNamed<B>
          ? Literal<R>
          : Product<A> extends Product<B>
            ? Literal<R>
            : ShapeError<`reshape: ${ShowShape<S>} to ${ShowShape<R>}: ${Product<A>} elements do not fill ${Product<B>}`>
        : never;

/** Whether a size is plain `number`, or -1 ("whatever is left"). */
type HasUnknown<S extends Shape> = S extends readonly [infer D, ...infer Rest extends Shape]
  ? IsWide<D> extends true
    ? true
    : D extends -1
      ? true
      : HasUnknown<Rest>
  : false;

type HasNamed<S extends Shape> = S extends readonly [infer D, ...infer Rest extends Shape]
  ? D extends Named<string>
    ? true
    : HasNamed<Rest>
  : false;

/** Both shapes without the named sizes that they share. */
type Leftover<A extends Shape, B extends Shape, Kept extends Shape = []> = A extends readonly [
  infer D extends Dim,
  ...infer Rest extends Shape,
]
  ? D extends Named<string>
    ? Without<B, D> extends infer Less extends Shape
      ? Leftover<Rest, Less, Kept>
      : Leftover<Rest, B, [...Kept, D]>
    : Leftover<Rest, B, [...Kept, D]>
  : [Kept, B];

type Without<S extends Shape, D extends Dim, Done extends Shape = []> = S extends readonly [
  infer First extends Dim,
  ...infer Rest extends Shape,
]
  ? [First] extends [D]
    ? [...Done, ...Rest]
    : Without<Rest, D, [...Done, First]>
  : "absent";

// Products of literals, as decimal digits with the least significant first: TypeScript has no arithmetic of its own.

type Digits<Text extends string, Reversed extends number[] = []> = Text extends `${infer D extends number}${infer Rest}`
  ? Digits<Rest, [D, ...Reversed]>
  : Reversed;

type Text<Reversed extends number[], Done extends string = ""> = Reversed extends [
  infer D extends number,
  ...infer Rest extends number[],
]
  ? Text<Rest, `${D}${Done}`>
  : TrimZeros<Done>;

type TrimZeros<T extends string> = T extends `0${infer Rest}` ? (Rest extends "" ? "0" : TrimZeros<Rest>) : T;

type Repeat<
  T extends unknown[],
  Times extends number,
  Count extends unknown[] = [],
  Done extends unknown[] = [],
> = Count["length"] extends Times ? Done : Repeat<T, Times, [...Count, unknown], [...Done, ...T]>;

/** `A·B + C` for digits A and B and a carry C, as `[ones, tens]`. */
type MultiplyAdd<A extends number, B extends number, C extends number> = `${[
  ...Repeat<OfLength<A>, B>,
  ...OfLength<C>,
]["length"] &
  number}` extends `${infer Tens extends number}${infer Ones extends number}`
  ? [Ones, Tens]
  : [[...Repeat<OfLength<A>, B>, ...OfLength<C>]["length"] & number, 0];

type TimesDigit<
  A extends number[],
  B extends number,
  Carry extends number = 0,
  Done extends number[] = [],
> = A extends [infer D extends number, ...infer Rest extends number[]]
  ? MultiplyAdd<D, B, Carry> extends [infer Ones extends number, infer Tens extends number]
    ? TimesDigit<Rest, B, Tens, [...Done, Ones]>
    : never
  : [...Done, Carry];

type Sum<A extends number[], B extends number[], Carry extends number = 0, Done extends number[] = []> = A extends [
  infer X extends number,
  ...infer RestA extends number[],
]
  ? B extends [infer Y extends number, ...infer RestB extends number[]]
    ? MultiplyAdd<X, 1, [...OfLength<Y>, ...OfLength<Carry>]["length"] & number> extends [
        infer Ones extends number,
        infer Tens extends number,
      ]
      ? Sum<RestA, RestB, Tens, [...Done, Ones]>
      : never
    : MultiplyAdd<X, 1, Carry> extends [infer Ones extends number, infer Tens extends number]
      ? Sum<RestA, [], Tens, [...Done, Ones]>
      : never
  : B extends [number, ...number[]]
    ? Sum<B, [], Carry, Done>
    : [...Done, Carry];

type Times<A extends number[], B extends number[]> = B extends [infer D extends number, ...infer Rest extends number[]]
  ? Rest extends []
    ? TimesDigit<A, D>
    : Sum<TimesDigit<A, D>, [0, ...Times<A, Rest>]>
  : [0];

/** The number of elements of a shape of literals, as text. */
type Product<S extends Shape, Done extends number[] = [1]> = S extends readonly [
  infer D extends Dim,
  ...infer Rest extends Shape,
]
  ? Product<Rest, Times<Done, Digits<`${D}`>>>
  : Text<Done>;
