// Whether the processor multiplies bytes, and how: found out by a few products.
//
// WebAssembly's one instruction for them, `i32x4.relaxed_dot_i8x16_i7x16_add_s`, promises nothing for a second operand above 127.
// Engines compile it to what the processor has: a product of signed with unsigned bytes, exact (VNNI); of signed with signed ones,
// exact (ARM); or one whose sums of pairs saturate (x86 without VNNI). The exact ones give the sums that words of 16 bits
// give, in a quarter of the instructions.
import { INT8_ACTIVATION_MOST, INT8_GROUP, INT8_LARGEST } from "../../encodings/int8-scheme.ts";
import { INT8_SCALES, INT8_SUMS, INT8_TOTALS, PANEL_WIDTH, TILE_ROWS } from "./abi.ts";
import type { WasmMemory } from "./memory.ts";

/** How the integers of int8 products are multiplied: widened to words of 16 bits, or as bytes. All give the same bits. */
export type Int8Products = "words" | "unsigned bytes" | "signed bytes";

/** The exports of kernels/int8-bytes.ts. */
export interface ByteKernels {
  multiplyTile(
    a: number,
    scales: number,
    offsets: number,
    b: number,
    rows: number,
    group: number,
    totals: number,
  ): void;
  multiplyPanels(...addresses: readonly number[]): void;
  multiplyTwoRows(...addresses: readonly number[]): void;
}

/** Stands for the byte kernels where there are none, so that the others can be linked. */
export const noByteKernels: ByteKernels = {
  multiplyTile: unavailable,
  multiplyPanels: unavailable,
  multiplyTwoRows: unavailable,
};

function unavailable(): never {
  throw new Error("this engine multiplies no bytes");
}

/** Rows of a left operand that tell the kinds apart: the ends of the range, next to themselves and to each other, and between. */
const rows: readonly ((index: number) => number)[] = [
  () => INT8_ACTIVATION_MOST,
  () => 0,
  (index) => (index % 3 === 0 ? INT8_ACTIVATION_MOST : 0),
  (index) => (index * 151 + 7) % (INT8_ACTIVATION_MOST + 1),
];
/** Columns of a right operand, likewise. */
const columns: readonly ((index: number) => number)[] = [
  () => INT8_LARGEST,
  () => -INT8_LARGEST,
  (index) => (index % 2 === 0 ? INT8_LARGEST : -INT8_LARGEST),
  (index) => (index % 4 < 2 ? INT8_LARGEST : -INT8_LARGEST),
  (index) => (index % 3 === 0 ? INT8_LARGEST : 0),
  (index) => (index % 5 === 0 ? -INT8_LARGEST : 1),
  (index) => ((index * 97 + 3) % (2 * INT8_LARGEST + 1)) - INT8_LARGEST,
  (index) => ((index * 59 + 11) % (2 * INT8_LARGEST + 1)) - INT8_LARGEST,
];

/** How the processor multiplies bytes, if it does so exactly: asked of the kernels themselves, with operands in memory. */
export function probeByteProducts(kernels: ByteKernels, memory: WasmMemory): Int8Products {
  const room = memory.allocate(TILE_ROWS * INT8_GROUP + PANEL_WIDTH * INT8_GROUP + 4096);
  try {
    for (const kind of ["unsigned bytes", "signed bytes"] as const) {
      if (isExact(kernels, memory.buffer, room.pointer, kind)) return kind;
    }
    return "words";
  } finally {
    memory.release(room);
  }
}

/** Whether a tile of one group has the sums that it should have when its bytes are of this kind. */
function isExact(kernels: ByteKernels, buffer: ArrayBufferLike, room: number, kind: Int8Products): boolean {
  // [INT8_GROUP / 4][4 rows][4]; [4] scales; [4] offsets; a panel of one group: [INT8_GROUP / 4][8 columns][4], scales, sums; totals
  const a = new Uint8Array(buffer, room, TILE_ROWS * INT8_GROUP);
  const scales = new Float32Array(buffer, a.byteOffset + a.byteLength, TILE_ROWS).fill(1);
  const offsets = new Int32Array(buffer, scales.byteOffset + scales.byteLength, TILE_ROWS);
  const b = new Int8Array(buffer, offsets.byteOffset + offsets.byteLength, PANEL_WIDTH * INT8_GROUP);
  const columnScales = new Float32Array(buffer, b.byteOffset + b.byteLength, INT8_SCALES / 4).fill(1);
  const sums = new Int16Array(buffer, columnScales.byteOffset + columnScales.byteLength, INT8_SUMS / 2);
  const totals = new Float32Array(buffer, sums.byteOffset + sums.byteLength, INT8_TOTALS / 4).fill(0);
  const offset = kind === "signed bytes" ? 128 : 0;
  const expected = new Float32Array(totals.length);
  sums.fill(0);
  for (let index = 0; index < INT8_GROUP; index++) {
    for (const [column, weight] of columns.entries()) {
      b[((index >> 2) * PANEL_WIDTH + column) * 4 + (index & 3)] = weight(index);
      sums[column]! += weight(index);
    }
    for (const [row, activation] of rows.entries()) {
      a[((index >> 2) * TILE_ROWS + row) * 4 + (index & 3)] = activation(index) - offset;
      for (const [column, weight] of columns.entries()) {
        expected[row * PANEL_WIDTH + column]! += activation(index) * weight(index);
      }
    }
  }
  offsets.fill(offset);
  kernels.multiplyTile(
    a.byteOffset,
    scales.byteOffset,
    offsets.byteOffset,
    b.byteOffset,
    INT8_GROUP,
    INT8_GROUP,
    totals.byteOffset,
  );
  return totals.every((total, i) => total === expected[i]);
}
