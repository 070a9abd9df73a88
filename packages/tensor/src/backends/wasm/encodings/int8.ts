import { encodings } from "../../../encodings/index.ts";
import {
  INT8_PANELS,
  INT8_QUAD,
  INT8_SCALES,
  INT8_SIGNED_BYTES,
  INT8_SUMS,
  INT8_TOTALS,
  INT8_UNSIGNED_BYTES,
  INT8_WIDENED,
  INT8_WORDS,
  PANEL_WIDTH,
  TABLE_INT8,
  TILE_ROWS,
} from "../abi.ts";
import type { Int8Products } from "../byte-products.ts";
import { packChunks, panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";
import type { WasmEncoding } from "./encoding.ts";
import { blocksOf, CHUNK_ELEMENTS, MOST_STREAM_CHUNKS, type Product, vectorChunks, withoutGaps } from "./product.ts";

const { group } = encodings.int8.integers;
/** Up to so many tiles of words it is faster to widen a panel again for each than once, into memory. */
const FEW_TILES = 4;

/** How kernels are told of {@link Int8Products}. */
const numbers: Readonly<Record<Int8Products, number>> = {
  words: INT8_WORDS,
  "unsigned bytes": INT8_UNSIGNED_BYTES,
  "signed bytes": INT8_SIGNED_BYTES,
};

/** A panel is groups of rows, each integers, scales and sums (kernels/int8-layout.ts), in the order that its products read. */
export function int8(products: Int8Products): WasmEncoding {
  const kind = numbers[products];
  const bytes = Number(kind !== INT8_WORDS);
  return {
    ...encodings.int8,
    panelBytes: (rows) => Math.ceil(rows / 4) * INT8_QUAD + Math.ceil(rows / group) * (INT8_SCALES + INT8_SUMS),
    conversion: {
      encode: (runtime, floats, target, rows, count) => {
        const chunks = Math.min(count, packChunks(runtime, rows, count * PANEL_WIDTH));
        runtime.run("encodeInt8Job", chunks, [floats, target, rows, count, group, bytes]);
      },
      decode: (runtime, panels, floats, rows, count) => {
        const chunks = Math.min(count, packChunks(runtime, rows, count * PANEL_WIDTH));
        runtime.run("decodeInt8Job", chunks, [panels, floats, rows, count, group, bytes]);
      },
    },
    packIntegers: (runtime, integers, scales, target) => {
      const [rows, columns] = integers.shape as [number, number];
      const chunks = Math.min(panelCount(columns), packChunks(runtime, rows, columns));
      runtime.run("packInt8Job", chunks, [
        ...[runtime.pointer(integers), target, rows, columns, integers.strides[0]!, integers.strides[1]!],
        ...[runtime.pointer(scales), 4 * scales.strides[0]!, 4 * scales.strides[1]!, group, bytes],
      ]);
    },
    roomForRows: (runtime, rows, columns) => {
      const { integerBytes, scaleBytes } = quantizedLayout(rows, columns);
      return runtime.scratch(integerBytes + 2 * scaleBytes);
    },
    multiply: (runtime, product) => multiply(runtime, product, kind),
    table: [TABLE_INT8, group, bytes],
  };
}

/**
 * How a left operand [rows, columns] lies when it is quantized: integers (bytes take half of the room for words), scales, offsets.
 * See kernels/int8-activations.ts.
 */
function quantizedLayout(rows: number, columns: number) {
  const perTile = rows <= 2 ? 1 : TILE_ROWS; // one or two rows lie one behind the other
  const padded = Math.ceil(rows / perTile) * perTile;
  const integerBytes = padded * Math.ceil(columns / 4) * 8;
  return { perTile, tiles: padded / perTile, integerBytes, scaleBytes: padded * Math.ceil(columns / group) * 4 };
}

function multiply(runtime: WasmRuntime, product: Product, kind: number): void {
  const { a, panels, columns, result, bias, mode, room } = product;
  const { rows, columns: k } = a;
  const { perTile, tiles, integerBytes, scaleBytes } = quantizedLayout(rows, k);
  const scales = room + integerBytes;
  const offsets = scales + scaleBytes;
  const { pointer, rowStride } = withoutGaps(runtime, a);
  const quantizing = Math.min(tiles, runtime.chunks(rows * k, CHUNK_ELEMENTS));
  runtime.run("quantizeRowsJob", quantizing, [
    ...[pointer, rowStride * 4, rows, k, perTile, room, scales, offsets, group, kind],
  ]);
  if (rows <= 2) {
    const chunks = vectorChunks(runtime, k, columns);
    const totals = runtime.scratch(chunks * INT8_TOTALS);
    const ints = [room, scales, offsets, panels, result, columns, k, bias, mode, group, kind, totals];
    runtime.run(rows === 1 ? "int8VectorJob" : "int8TwoRowsJob", chunks, ints);
    return;
  }
  if (kind === INT8_WORDS && tiles <= FEW_TILES) {
    const ints = [room, scales, offsets, panels, result, columns, k, bias, mode, group, kind, rows];
    runtime.run("int8FewRowsJob", vectorChunks(runtime, k, columns), ints);
    return;
  }
  const { rowBlocks, columnBlocks } = blocksOf(runtime, product, tiles, MOST_STREAM_CHUNKS);
  const chunks = rowBlocks * columnBlocks;
  // As kernels/int8-tile.ts divides it: words of a panel, and totals of the tiles of a row block.
  const chunkBytes = INT8_WIDENED + INT8_PANELS * Math.ceil(tiles / rowBlocks) * INT8_TOTALS;
  const chunkRoom = runtime.scratch(chunks * chunkBytes);
  const operands = [room, scales, offsets, panels, result, rows, columns, k];
  const how = [bias, mode, group, kind, rowBlocks, chunkRoom, chunkBytes];
  runtime.run("int8MatmulJob", chunks, [...operands, ...how]);
}
