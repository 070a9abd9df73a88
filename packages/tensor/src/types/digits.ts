// Sums and products of literal sizes, as decimal digits with the least significant first: TypeScript has no arithmetic of its own.
import type { Dim, IsWide, Named, Shape } from "./shape-types.ts";

/** A tuple of `N` elements. */
export type OfLength<N extends number, T extends unknown[] = []> = T["length"] extends N
  ? T
  : OfLength<N, [...T, unknown]>;

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
export type Product<S extends Shape, Done extends number[] = [1]> = S extends readonly [
  infer D extends Dim,
  ...infer Rest extends Shape,
]
  ? Product<Rest, Times<Done, Digits<`${D}`>>>
  : Text<Done>;

type Num<Text extends string> = Text extends `${infer N extends number}` ? N : number;

/** Whether all sizes are literals, whose sum or product can be told. */
type AreLiterals<S extends Shape> = S extends readonly [infer D, ...infer Rest extends Shape]
  ? IsWide<D> extends true
    ? false
    : D extends Named<string>
      ? false
      : AreLiterals<Rest>
  : true;

/** The size of axes joined into one: the only one's own; the product of literals; else any number. */
export type ProductOf<S extends Shape> = S extends readonly [infer D extends Dim]
  ? D
  : AreLiterals<S> extends true
    ? Num<Product<S>>
    : number;

/** The sum of two sizes, where both are literals. */
export type SumOf<A extends Dim, B extends Dim> =
  AreLiterals<[A, B]> extends true ? Num<Text<Sum<Digits<`${A}`>, Digits<`${B}`>>>> : number;
