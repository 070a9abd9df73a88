// What `einsum` makes of shapes: its equation is read by the compiler too.
import type { Dim, Same, Shape, ShapeError, Show } from "./shape-types.ts";

type Letters<Text extends string> = Text extends `${infer First}${infer Rest}` ? [First, ...Letters<Rest>] : [];

/** The size that `Letter` has in `S`, whose axes have the names `Names`; `never` where there is none. */
type SizeOfLetter<Names extends readonly unknown[], S extends Shape, Letter> = Names extends [
  infer First,
  ...infer Rest,
]
  ? S extends readonly [infer D extends Dim, ...infer RestS extends Shape]
    ? First extends Letter
      ? D
      : SizeOfLetter<Rest, RestS, Letter>
    : never
  : never;

type Sizes<
  Out extends readonly unknown[],
  NamesA extends readonly unknown[],
  A extends Shape,
  NamesB extends readonly unknown[],
  B extends Shape,
  Done extends Shape = [],
> = Out extends [infer Letter, ...infer Rest]
  ? [SizeOfLetter<NamesA, A, Letter>] extends [never]
    ? [SizeOfLetter<NamesB, B, Letter>] extends [never]
      ? ShapeError<`einsum: no operand has the axis ${Letter & string}`>
      : Sizes<Rest, NamesA, A, NamesB, B, [...Done, SizeOfLetter<NamesB, B, Letter>]>
    : Sizes<Rest, NamesA, A, NamesB, B, [...Done, SizeOfLetter<NamesA, A, Letter>]>
  : Done;

/** The first letter that has two sizes which do not fit, as an error; else `unknown`. */
type Clash<
  NamesA extends readonly unknown[],
  A extends Shape,
  NamesB extends readonly unknown[],
  B extends Shape,
> = NamesA extends [infer Letter, ...infer Rest]
  ? A extends readonly [infer D extends Dim, ...infer RestA extends Shape]
    ? [SizeOfLetter<NamesB, B, Letter>] extends [never]
      ? Clash<Rest, RestA, NamesB, B>
      : Same<D, SizeOfLetter<NamesB, B, Letter>> extends true
        ? Clash<Rest, RestA, NamesB, B>
        : ShapeError<`einsum: ${Letter & string} is ${Show<D>} and ${Show<SizeOfLetter<NamesB, B, Letter>>}`>
    : unknown
  : unknown;

type EinsumOf<
  In extends string,
  Out extends string,
  A extends Shape,
  B extends Shape,
> = In extends `${infer NamesA},${infer NamesB}`
  ? Checked<Letters<NamesA>, A, Letters<NamesB>, B, Letters<Out>>
  : Shape;

type Checked<
  NamesA extends readonly unknown[],
  A extends Shape,
  NamesB extends readonly unknown[],
  B extends Shape,
  Out extends readonly unknown[],
> = [NamesA["length"], NamesB["length"]] extends [A["length"], B["length"]]
  ? Clash<NamesA, A, NamesB, B> extends ShapeError<infer Message>
    ? ShapeError<Message>
    : Sizes<Out, NamesA, A, NamesB, B>
  : ShapeError<"einsum: an operand has another number of axes than letters">;

/** The shape of `einsum(equation, a, b)`; any where the equation has no arrow, or a rank is unknown. */
export type Einsum<Equation extends string, A extends Shape, B extends Shape> = number extends A["length"] | B["length"]
  ? Shape
  : Equation extends `${infer In}->${infer Out}`
    ? EinsumOf<In, Out, A, B>
    : Shape;
