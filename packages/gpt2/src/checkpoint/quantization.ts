import { type Encoding, encodings, type IntegerScheme, type MatrixEncoding } from "@gpt2-ts/tensor";
import { ModelFormatError } from "../errors.ts";
import type { Weight } from "../model/weights.ts";

// How a converted checkpoint says what it holds: docs/quantization.md describes it.

/** Keys of a checkpoint's metadata. */
const DTYPE_KEY = "gpt2-ts.dtype";
const GROUP_KEY = "gpt2-ts.group";

/** How a converted checkpoint holds its matrices: the encodings that have a form in files. */
export type ConvertedDtype = {
  [Name in MatrixEncoding]: (typeof encodings)[Name]["file"] extends undefined ? never : Name;
}[MatrixEncoding];

export const CONVERTED_DTYPES = Object.values<Encoding>(encodings)
  .filter(({ file }) => file !== undefined)
  .map(({ name }) => name) as readonly ConvertedDtype[];

/** The metadata of a checkpoint that is converted to `dtype`. */
export function metadataFor(dtype: ConvertedDtype): Record<string, string> {
  const { integers }: Encoding = encodings[dtype];
  return { format: "pt", [DTYPE_KEY]: dtype, ...(integers && { [GROUP_KEY]: String(integers.group) }) };
}

/** What a checkpoint was converted to, or undefined. Throws {@link ModelFormatError} for an unknown dtype or group size. */
export function convertedTo(
  metadata: Readonly<Record<string, string>> | undefined,
  path: string,
): ConvertedDtype | undefined {
  const said = metadata?.[DTYPE_KEY];
  if (said === undefined) return undefined;
  const dtype = CONVERTED_DTYPES.find((name) => name === said);
  if (dtype === undefined) {
    const known = CONVERTED_DTYPES.map((name) => JSON.stringify(name)).join(", ");
    throw new ModelFormatError(path, `metadata ${DTYPE_KEY} is ${JSON.stringify(said)}; known: ${known}`, DTYPE_KEY);
  }
  const { integers }: Encoding = encodings[dtype];
  const group = metadata?.[GROUP_KEY];
  if (integers && group !== String(integers.group)) {
    const found = group === undefined ? "missing" : JSON.stringify(group);
    throw new ModelFormatError(path, `metadata ${GROUP_KEY} is ${found}; expected "${integers.group}"`, GROUP_KEY);
  }
  return dtype;
}

/** The name of the scales of a tensor of integers. */
export function scalesName(name: string): string {
  return `${name}.scales`;
}

/**
 * The axis along which the neighbours of a group share a scale: that over which products sum. Tables hold a vector in each row;
 * other matrices are `[in, out]`.
 */
export function groupAxis({ kind }: Pick<Weight, "kind">): 0 | 1 {
  return kind === "table" ? 1 : 0;
}

/** The shape of the scales of a weight `[rows, columns]` that is kept as integers. */
export function scalesShape(
  weight: Pick<Weight, "kind" | "shape">,
  { group }: IntegerScheme,
): readonly [number, number] {
  const [rows, columns] = weight.shape as readonly [number, number];
  const groups = (size: number): number => Math.ceil(size / group);
  return groupAxis(weight) === 1 ? [rows, groups(columns)] : [groups(rows), columns];
}
