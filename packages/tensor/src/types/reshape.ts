// Shapes whose sizes change: reshape, flatten, expand, pad, tile; and those of nested arrays.
import type { AxisIndex } from "./axes.ts";
import type { Product, ProductOf, SumOf } from "./digits.ts";
import type { Dim, IsWide, Literal, Named, Shape, ShapeError, ShowShape } from "./shape-types.ts";

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

// ---- flatten, expand, pad, tile ------------------------------------------------------------------------------------

/** `S` with the axes from `First` to `Last` made one. */
export type Flatten<S extends Shape, First extends number, Last extends number> = number extends
  | S["length"]
  | First
  | Last
  ? Shape
  : S extends readonly []
    ? [1]
    : [AxisIndex<S, First>] extends [never]
      ? ShapeError<`flatten: there is no axis ${First} in ${ShowShape<S>}`>
      : [AxisIndex<S, Last>] extends [never]
        ? ShapeError<`flatten: there is no axis ${Last} in ${ShowShape<S>}`>
        : FlattenFrom<S, AxisIndex<S, First>, AxisIndex<S, Last>>;

type FlattenFrom<
  S extends Shape,
  First extends number,
  Last extends number,
  Before extends Shape = [],
> = Before["length"] extends First
  ? FlattenTo<S, Last, Before>
  : S extends readonly [infer D extends Dim, ...infer Rest extends Shape]
    ? FlattenFrom<Rest, First, Last, [...Before, D]>
    : never;

type FlattenTo<
  S extends Shape,
  Last extends number,
  Before extends Shape,
  Within extends Shape = [],
> = S extends readonly [infer D extends Dim, ...infer Rest extends Shape]
  ? [...Before, ...Within]["length"] extends Last
    ? [...Before, ProductOf<[...Within, D]>, ...Rest]
    : FlattenTo<Rest, Last, Before, [...Within, D]>
  : ShapeError<"flatten: the first axis comes after the last">;

/** The shape that `expand` gives: `R` with each -1 replaced by the size that `S` has there. */
export type Expand<S extends Shape, R extends Shape, Tail extends Shape = []> = number extends S["length"] | R["length"]
  ? Shape
  : R extends readonly [...infer R0 extends Shape, infer New extends Dim]
    ? S extends readonly [...infer S0 extends Shape, infer D extends Dim]
      ? Expand<S0, R0, [New extends -1 ? D : New, ...Tail]>
      : Expand<[], R0, [New, ...Tail]>
    : Tail;

/** How much `pad` adds: before and after each axis, or as much everywhere. */
export type PadWidths = number | readonly (readonly [number, number])[];

/** `S` with each axis as much longer. */
export type Pad<S extends Shape, Widths extends PadWidths> = number extends S["length"]
  ? Shape
  : Widths extends number
    ? { -readonly [K in keyof S]: SumOf<S[K], SumOf<Widths, Widths>> }
    : Widths extends readonly (readonly [number, number])[]
      ? number extends Widths["length"]
        ? Shape
        : Widths["length"] extends S["length"]
          ? { -readonly [K in keyof S]: K extends keyof Widths ? Padded<S[K], Widths[K]> : never }
          : ShapeError<`pad: ${Widths["length"]} pairs given for ${ShowShape<S>}`>
      : never;

type Padded<D extends Dim, Width> = Width extends readonly [infer Before extends Dim, infer After extends Dim]
  ? SumOf<SumOf<D, Before>, After>
  : number;

/** `S` with each axis as many times as long. */
export type Tile<S extends Shape, Times extends readonly number[]> = number extends S["length"] | Times["length"]
  ? Shape
  : Times["length"] extends S["length"]
    ? { -readonly [K in keyof S]: K extends keyof Times ? ProductOf<[S[K], Times[K] & number]> : never }
    : Shape;

/** Numbers (or booleans) nested as deep as a tensor has axes. */
export type NestedArray = number | boolean | readonly NestedArray[];

/** The shape of nested arrays; of arrays that are not tuples, any sizes. */
export type NestedShape<V> = V extends number | boolean
  ? []
  : V extends Float32Array | Int32Array | Uint8Array
    ? [number]
    : V extends readonly unknown[]
      ? NestedArray extends V[number]
        ? Shape
        : V extends readonly [infer First, ...unknown[]]
          ? WithLength<V["length"], NestedShape<First>>
          : V extends readonly []
            ? [0]
            : WithLength<number, NestedShape<V[number]>>
      : Shape;

type WithLength<N extends number, Inner> = Inner extends Shape
  ? number extends Inner["length"]
    ? Shape
    : [N, ...Inner]
  : Shape;
