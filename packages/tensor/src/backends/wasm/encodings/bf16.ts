import { encodings } from "../../../encodings/index.ts";
import { PANEL_ROW, PANEL_WIDTH, TABLE_BF16 } from "../abi.ts";
import { packChunks } from "../panels.ts";
import type { WasmEncoding } from "./encoding.ts";
import { multiplyFloats, roomForTiles } from "./floats.ts";

const kernels = {
  oneRow: "vectorMatmulBf16Job",
  twoRows: "twoRowsMatmulBf16Job",
  fewRows: "fewRowsMatmulBf16Job",
  decodes: true,
} as const;

/** A panel is `[rows][8]` bfloat16, in the order that kernels/bf16.ts states. */
export const bf16: WasmEncoding = {
  ...encodings.bf16,
  panelBytes: (rows) => rows * (PANEL_ROW / 2),
  conversion: {
    encode: (runtime, floats, target, rows, count) =>
      runtime.run("encodeBf16Job", packChunks(runtime, rows, count * PANEL_WIDTH), [floats, target, rows * count]),
    decode: (runtime, panels, floats, rows, count) =>
      runtime.run("decodeBf16Job", packChunks(runtime, rows, count * PANEL_WIDTH), [panels, floats, rows * count]),
  },
  packIntegers: undefined,
  roomForRows: roomForTiles,
  multiply: (runtime, product) => multiplyFloats(runtime, product, kernels),
  table: [TABLE_BF16, 0, 0],
};
