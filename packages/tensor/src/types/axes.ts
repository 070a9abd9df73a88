// Shapes whose axes come, go, move or are joined.
import type { OfLength, SumOf } from "./digits.ts";
import type { Dim, IsWide, Literal, Same, Shape, ShapeError, Show, ShowShape } from "./shape-types.ts";

/** The axis as a plain index, counted from the end when negative; `never` when there is no such axis. */
export type AxisIndex<S extends Shape, Axis extends number> = `${Axis}` extends `-${infer Back extends number}`
  ? S extends readonly [...infer Front, ...OfLength<Back>]
    ? Front["length"]
    : never
  : `${Axis}` extends keyof S
    ? Axis
    : never;

export type ReplaceAt<
  S extends Shape,
  Index extends number,
  New extends Shape,
  Done extends Shape = [],
> = S extends readonly [infer D extends Dim, ...infer Rest extends Shape]
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

/** The axis or axes of a reduction; all of them when undefined. */
export type Axes = number | readonly number[] | undefined;

/** `S` after a reduction over an axis or several (all when undefined), with or without keeping them at size one. */
export type Reduce<S extends Shape, Axis extends Axes, Keep extends boolean> = number extends S["length"]
  ? Shape
  : Axis extends number
    ? ReplaceAxis<"reduce", S, Axis, Keep extends true ? [1] : []>
    : Axis extends readonly number[]
      ? ReduceEach<S, Axis, Keep extends true ? [1] : []>
      : Keep extends true
        ? { -readonly [K in keyof S]: 1 }
        : [];

/** `S` with each of the axes replaced by `New`; `Indices` are those found so far. */
type ReduceEach<
  S extends Shape,
  Each extends readonly number[],
  New extends Shape,
  Indices extends number = never,
> = number extends Each["length"]
  ? Shape
  : Each extends readonly [infer A extends number, ...infer Rest extends readonly number[]]
    ? number extends A
      ? Shape
      : [AxisIndex<S, A>] extends [never]
        ? ReplaceAxis<"reduce", S, A, New>
        : ReduceEach<S, Rest, New, Indices | AxisIndex<S, A>>
    : ReplaceAll<S, Indices, New>;

type ReplaceAll<
  S extends Shape,
  Indices extends number,
  New extends Shape,
  Passed extends Shape = [],
  Done extends Shape = [],
> = S extends readonly [infer D extends Dim, ...infer Rest extends Shape]
  ? ReplaceAll<Rest, Indices, New, [...Passed, D], [...Done, ...(Passed["length"] extends Indices ? New : [D])]>
  : Done;

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

/** `S` with its axes in reverse order. */
export type Reversed<S extends Shape> = number extends S["length"]
  ? Shape
  : S extends readonly [infer D extends Dim, ...infer Rest extends Shape]
    ? [...Reversed<Rest>, D]
    : [];

/** `S` without as many leading axes as there are indices. */
export type At<S extends Shape, Indices extends readonly number[]> = number extends S["length"] | Indices["length"]
  ? Shape
  : Indices extends readonly [number, ...infer Rest extends readonly number[]]
    ? S extends readonly [Dim, ...infer Inner extends Shape]
      ? At<Inner, Rest>
      : ShapeError<"at: more indices than axes">
    : { -readonly [K in keyof S]: S[K] };

// ---- several shapes -------------------------------------------------------------------------------------------------

/** Shapes joined along an axis, in which alone they may differ. */
export type Concat<Shapes extends readonly Shape[], Axis extends number> = number extends Shapes["length"]
  ? ReplaceAxis<"concat", Shapes[number], Axis, [number]>
  : Shapes extends readonly [infer A extends Shape, infer B extends Shape, ...infer Rest extends readonly Shape[]]
    ? Joined<A, B, Axis> extends infer S extends Shape
      ? Concat<[S, ...Rest], Axis>
      : Joined<A, B, Axis>
    : Shapes extends readonly [infer A extends Shape]
      ? ReplaceAxis<"concat", A, Axis, []> extends infer _ extends Shape
        ? Literal<A>
        : ReplaceAxis<"concat", A, Axis, []>
      : Shape;

type Joined<A extends Shape, B extends Shape, Axis extends number> = number extends A["length"] | B["length"] | Axis
  ? Shape
  : [AxisIndex<A, Axis>] extends [never]
    ? ReplaceAxis<"concat", A, Axis, []>
    : JoinedAt<A, B, AxisIndex<A, Axis>>;

type JoinedAt<A extends Shape, B extends Shape, Index extends number, Done extends Shape = []> = A extends readonly [
  infer X extends Dim,
  ...infer RestA extends Shape,
]
  ? B extends readonly [infer Y extends Dim, ...infer RestB extends Shape]
    ? Done["length"] extends Index
      ? JoinedAt<RestA, RestB, Index, [...Done, SumOf<X, Y>]>
      : Same<X, Y> extends true
        ? JoinedAt<RestA, RestB, Index, [...Done, IsWide<X> extends true ? Y : X]>
        : ShapeError<`concat: sizes ${Show<X>} and ${Show<Y>} differ`>
    : ShapeError<"concat: different numbers of axes">
  : B extends readonly []
    ? Done
    : ShapeError<"concat: different numbers of axes">;

/** Shapes, all the same, side by side along a new axis. */
export type Stack<Shapes extends readonly Shape[], Axis extends number> = Concat<
  { [K in keyof Shapes]: Unsqueeze<Shapes[K], Axis> },
  Axis
>;
