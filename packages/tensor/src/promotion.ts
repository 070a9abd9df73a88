import type { DType } from "./dtype.ts";

/**
 * The element type in which two operands meet: the later of bool, uint8, int32, float32, which is PyTorch's rule for
 * these four. The run time and the types both read this table; docs/dtypes.md says what each op makes of it.
 */
export const promotions = {
  bool: { bool: "bool", uint8: "uint8", int32: "int32", float32: "float32" },
  uint8: { bool: "uint8", uint8: "uint8", int32: "int32", float32: "float32" },
  int32: { bool: "int32", uint8: "int32", int32: "int32", float32: "float32" },
  float32: { bool: "float32", uint8: "float32", int32: "float32", float32: "float32" },
} as const satisfies Record<DType, Record<DType, DType>>;

/** The element type in which operands of types `A` and `B` meet. */
export type Promote<A extends DType, B extends DType> = (typeof promotions)[A][B];

/** As {@link Promote}, at run time. */
export function promote<A extends DType, B extends DType>(a: A, b: B): Promote<A, B> {
  return promotions[a][b];
}

/** The element types that arithmetic is done in. Sums of uint8 and bool would not fit them. */
export type Numeric = "float32" | "int32";

/** The element type of a sum or product; `never` where both operands are uint8 or bool, which arithmetic refuses. */
export type Arithmetic<A extends DType, B extends DType> = Promote<A, B> & Numeric;

/** What a refused element type turns into: no value has this type, so the message shows up in the compiler's error. */
export type DTypeRefusal<Message extends string> = { readonly dtypeError: Message };

/** Intersect an operand with this to refuse pairs of element types for which there is no `Result`. */
export type CheckDTypes<Result, A extends DType, B extends DType> = [Result] extends [never]
  ? DTypeRefusal<`not for ${A} and ${B}: cast one of them`>
  : unknown;

/** A number in arithmetic with a tensor of element type D. */
export type NumberFor<D extends DType> = [D & Numeric] extends [never]
  ? DTypeRefusal<`no arithmetic in ${D}: cast it to float32 or int32`>
  : number;

/** The element type of a choice between operands of types A and B, each `never` for a number. */
export type Chosen<A extends DType, B extends DType> = [A] extends [never]
  ? [B] extends [never]
    ? "float32"
    : B
  : [B] extends [never]
    ? A
    : Promote<A, B>;

/** The element type of a sum or product over elements of type `D`: of uint8 and bool, int32. */
export type Summed<D extends DType> = D extends Numeric ? D : "int32";
