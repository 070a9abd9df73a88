import type { Encoding } from "../../../encodings/index.ts";
import type { AddressedView, WasmRuntime } from "../runtime.ts";
import type { Product } from "./product.ts";

/** An encoding with WebAssembly kernels: how its panels are laid out, made, read and multiplied by. */
export interface WasmEncoding extends Encoding {
  /** Bytes from one panel of a matrix of so many rows to the next. */
  panelBytes(rows: number): number;
  /** To and from panels of floats; undefined where its panels are these. */
  readonly conversion: PanelConversion | undefined;
  /**
   * Writes integers `[rows, n]` and their scales `[groups, n]`, both strided, as panels at an address. Undefined where there are
   * no integers.
   */
  readonly packIntegers: PackIntegers | undefined;
  /** Address of temporary memory for a left operand `[rows, columns]` as its products read it. */
  roomForRows(runtime: WasmRuntime, rows: number, columns: number): number;
  /** A product with its panels. All sizes are at least 1. */
  multiply(runtime: WasmRuntime, product: Product): void;
  /** What embeddingJob is told of a table that is the transpose of its panels: TABLE_… of abi.ts, and two numbers more. */
  readonly table: readonly number[];
}

export interface PanelConversion {
  /** `count` panels of floats → panels of the encoding. */
  encode(runtime: WasmRuntime, floats: number, target: number, rows: number, count: number): void;
  /** `count` panels of the encoding → panels of floats. */
  decode(runtime: WasmRuntime, panels: number, floats: number, rows: number, count: number): void;
}

export type PackIntegers = (
  runtime: WasmRuntime,
  integers: AddressedView<"uint8">,
  scales: AddressedView<"float32">,
  target: number,
) => void;
