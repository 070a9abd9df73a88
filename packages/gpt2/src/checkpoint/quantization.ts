import { INT8_GROUP, type MatrixEncoding } from "@gpt2-ts/tensor";
import { ModelFormatError } from "../errors.ts";
import type { Weight } from "../model/weights.ts";

// How a converted checkpoint says what it holds: docs/quantization.md describes it.

/** Keys of a checkpoint's metadata. */
const DTYPE_KEY = "gpt2-ts.dtype";
const GROUP_KEY = "gpt2-ts.group";

/** How a converted checkpoint holds its matrices. */
export type ConvertedDtype = Exclude<MatrixEncoding, "f32">;

/** What safetensors calls these. */
export const storedDtypes = { bf16: "BF16", int8: "I8" } as const;

/** The metadata of a checkpoint that is converted to `dtype`. */
export function metadataFor(dtype: ConvertedDtype): Record<string, string> {
  return { format: "pt", [DTYPE_KEY]: dtype, ...(dtype === "int8" && { [GROUP_KEY]: String(INT8_GROUP) }) };
}

/** What a checkpoint was converted to, or undefined. Throws {@link ModelFormatError} for an unknown dtype or group size. */
export function convertedTo(
  metadata: Readonly<Record<string, string>> | undefined,
  path: string,
): ConvertedDtype | undefined {
  const dtype = metadata?.[DTYPE_KEY];
  if (dtype === undefined) return undefined;
  if (dtype !== "bf16" && dtype !== "int8") {
    throw new ModelFormatError(
      path,
      `metadata ${DTYPE_KEY} is ${JSON.stringify(dtype)}; known: "bf16", "int8"`,
      DTYPE_KEY,
    );
  }
  const group = metadata?.[GROUP_KEY];
  if (dtype === "int8" && group !== String(INT8_GROUP)) {
    const found = group === undefined ? "missing" : JSON.stringify(group);
    throw new ModelFormatError(path, `metadata ${GROUP_KEY} is ${found}; expected "${INT8_GROUP}"`, GROUP_KEY);
  }
  return dtype;
}

/** The name of the scales of an int8 tensor. */
export function scalesName(name: string): string {
  return `${name}.scales`;
}

/**
 * The axis along which {@link INT8_GROUP} neighbours share a scale: that over which products sum. Tables hold a vector in each
 * row; other matrices are `[in, out]`.
 */
export function groupAxis({ kind }: Pick<Weight, "kind">): 0 | 1 {
  return kind === "table" ? 1 : 0;
}

/** The shape of the scales of an int8 weight `[rows, columns]`. */
export function scalesShape(weight: Pick<Weight, "kind" | "shape">): readonly [number, number] {
  const [rows, columns] = weight.shape as readonly [number, number];
  const groups = (size: number): number => Math.ceil(size / INT8_GROUP);
  return groupAxis(weight) === 1 ? [rows, groups(columns)] : [groups(rows), columns];
}
