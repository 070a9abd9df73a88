import { encodings } from "../../../encodings/index.ts";
import { PANEL_ROW, TABLE_F32 } from "../abi.ts";
import type { WasmEncoding } from "./encoding.ts";
import { multiplyFloats, roomForTiles } from "./floats.ts";

const kernels = {
  oneRow: "vectorMatmulJob",
  twoRows: "twoRowsMatmulJob",
  fewRows: "fewRowsMatmulJob",
  decodes: false,
} as const;

/** A panel is `[rows][8]` floats. */
export const f32: WasmEncoding = {
  ...encodings.f32,
  panelBytes: (rows) => rows * PANEL_ROW,
  conversion: undefined,
  packIntegers: undefined,
  roomForRows: roomForTiles,
  multiply: (runtime, product) => multiplyFloats(runtime, product, kernels),
  table: [TABLE_F32, 0, PANEL_ROW],
};
