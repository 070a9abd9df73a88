import {
  type AnyTensor,
  clamp,
  type DType,
  maskedFill,
  type Shape,
  type Tensor,
  truncDiv,
  where,
  zeros,
} from "@gpt2-ts/tensor";
import { describe, expectTypeOf, test } from "vitest";

// Checked by the compiler alone: nothing here runs.
const float = zeros([2, 3]);
const int = zeros([2, 3], { dtype: "int32" });
const byte = zeros([3], { dtype: "uint8" });
const mask = zeros([3], { dtype: "bool" });

describe("operands of two element types", () => {
  test("meet in the later of bool, uint8, int32, float32", () => {
    expectTypeOf(float.add(int)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(int.sub(float)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(int.mul(byte)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    expectTypeOf(mask.mul(int)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    expectTypeOf(byte.pow(float)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(byte.maximum(mask)).toEqualTypeOf<Tensor<[3], "uint8">>();
    expectTypeOf(where(mask, byte, int)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
  });
  test("are refused in arithmetic where both are uint8 or bool", () => {
    // @ts-expect-error "not for uint8 and uint8: cast one of them"
    byte.add(byte);
    // @ts-expect-error "not for bool and uint8: cast one of them"
    mask.mul(byte);
    // @ts-expect-error "no arithmetic in uint8: cast it to float32 or int32"
    byte.add(1);
    // @ts-expect-error "no arithmetic in bool: cast it to float32 or int32"
    mask.sub(1);
  });
  test("divide in float32, and integers also cut", () => {
    expectTypeOf(int.div(int)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(byte.div(2)).toEqualTypeOf<Tensor<[3]>>();
    expectTypeOf(truncDiv(int, 2)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    expectTypeOf(truncDiv(int, byte)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    // @ts-expect-error float32 is not cut
    truncDiv(float, 2);
    // @ts-expect-error "not for uint8 and uint8: cast one of them"
    truncDiv(byte, byte);
  });
  test("are compared whatever they are", () => {
    expectTypeOf(int.lt(float)).toEqualTypeOf<Tensor<[2, 3], "bool">>();
    expectTypeOf(byte.eq(0.5)).toEqualTypeOf<Tensor<[3], "bool">>();
    expectTypeOf(mask.eq(int)).toEqualTypeOf<Tensor<[2, 3], "bool">>();
  });
  test("of unknown element types are left to the run time", () => {
    const any = float as AnyTensor;
    expectTypeOf(any.add(any)).toEqualTypeOf<Tensor<Shape, "float32" | "int32">>();
    expectTypeOf(any.maximum(1)).toEqualTypeOf<Tensor<Shape, DType>>();
    expectTypeOf(int).toExtend<AnyTensor>();
  });
});

describe("numbers beside tensors", () => {
  test("take the tensor's type", () => {
    expectTypeOf(int.add(1)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    expectTypeOf(byte.minimum(9)).toEqualTypeOf<Tensor<[3], "uint8">>();
    expectTypeOf(where(mask, int, 0)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    expectTypeOf(where(mask, 0, float)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(where(mask, 1, 0)).toEqualTypeOf<Tensor<[3]>>();
    expectTypeOf(maskedFill(int, mask, 5)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    expectTypeOf(clamp(int, 0, 5)).toEqualTypeOf<Tensor<[2, 3], "int32">>();
  });
  test("are numbers", () => {
    // @ts-expect-error text
    float.add("1");
    // @ts-expect-error an array
    float.add([1, 2]);
    // @ts-expect-error sizes 3 and 4 differ
    where(mask, zeros([4]), 0);
  });
});

describe("functions of floats", () => {
  test("take float32", () => {
    expectTypeOf(float.exp()).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(int.neg()).toEqualTypeOf<Tensor<[2, 3], "int32">>();
    // @ts-expect-error int32
    int.exp();
    // @ts-expect-error int32
    int.mean();
    // @ts-expect-error uint8
    byte.softmax(0);
  });
});
