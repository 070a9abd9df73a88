/** How the elements of a packed matrix `[K, N]` are kept: what is true of it on every device, and in a file. */
export interface Encoding {
  readonly name: string;
  /** Bytes of a matrix `[rows, columns]` in a file, with its scales. */
  fileBytes(rows: number, columns: number): number;
  /** Bytes of such a matrix on a device with kernels for it, without padding. */
  deviceBytes(rows: number, columns: number): number;
  /** Replaces the elements of a column by what is kept of them; undefined where all of them is. */
  readonly round: ((column: Float32Array) => void) | undefined;
  /** What its products are computed in. */
  readonly arithmetic: ArithmeticKind;
  /** How a converted checkpoint holds it; undefined for what nothing is converted to. */
  readonly file: FileFormat | undefined;
  /** The scheme of integers times scales; undefined where every element is kept by itself. */
  readonly integers: IntegerScheme | undefined;
}

/** Sums of float32, or of integers. */
export type ArithmeticKind = "f32" | "int8";

export interface FileFormat {
  /** What safetensors calls the elements, or the integers. */
  readonly dtype: "BF16" | "I8";
  /** The elements as the file has them, rounded; they are overwritten. Undefined where there are integers and scales. */
  readonly encode: ((elements: Float32Array) => Uint16Array) | undefined;
}

/** Elements as 8-bit integers times a float32 scale for each column and `group` rows. */
export interface IntegerScheme {
  readonly group: number;
  /**
   * Writes the integers of up to `group` weights of a column, and returns the scale that takes them back; NaN if a weight is
   * not finite.
   */
  quantize(weights: Float32Array, integers: Int8Array): number;
}
