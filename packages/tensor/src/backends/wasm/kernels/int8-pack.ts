// Matrices of 8-bit integers (int8-layout.ts): made from floats or from integers, and read back.
import { INT8_LARGEST, INT8_NEGLIGIBLE } from "../../../encodings/int8-scheme";
import { INT8_QUAD, INT8_SCALES, INT8_SUMS } from "../abi";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { inQuad, panelBytes, quadBytes } from "./int8-layout";

/**
 * Panels of floats → panels of integers. Ints: panels of floats, target, rows, panels, rows of a group, whether for the
 * kernels that multiply bytes. Split by panels.
 */
export function encodeInt8Job(chunk: i32): void {
  const rows = int(2);
  const group = int(4);
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, int(3));
  for (let panel = chunkStart(chunk, chunks, int(3)); panel < end; panel++) {
    let from = pointer(0) + ((<usize>panel * <usize>rows) << 5);
    let to = pointer(1) + <usize>panel * panelBytes(rows, group);
    for (let start = 0; start < rows; start += group) {
      const count = min(group, rows - start);
      encodeGroup(from, count, to, int(5) != 0);
      from += <usize>count << 5;
      to += quadBytes(count) + INT8_SCALES + INT8_SUMS;
    }
  }
}

/** `count` rows of a panel: each column is scaled so that its largest absolute value becomes {@link INT8_LARGEST}. */
function encodeGroup(from: usize, count: i32, to: usize, bytes: bool): void {
  const scales = to + quadBytes(count);
  const end = from + (<usize>count << 5);
  for (let half: usize = 0; half < 32; half += 16) {
    let most = f32x4.splat(0);
    for (let at = from + half; at < end; at += 32) most = f32x4.max(most, f32x4.abs(v128.load(at)));
    const tiny = f32x4.lt(most, f32x4.splat(<f32>INT8_NEGLIGIBLE));
    v128.store(scales + half, v128.andnot(f32x4.div(most, f32x4.splat(<f32>INT8_LARGEST)), tiny));
    const inverse = v128.andnot(f32x4.div(f32x4.splat(<f32>INT8_LARGEST), most), tiny);
    let sums = i32x4.splat(0);
    let out = to;
    for (let at = from + half; at < end; at += 128, out += INT8_QUAD) {
      const r0 = integers(at, end, inverse);
      const r1 = integers(at + 32, end, inverse);
      const r2 = integers(at + 64, end, inverse);
      const r3 = integers(at + 96, end, inverse);
      sums = i32x4.add(sums, i32x4.add(i32x4.add(r0, r1), i32x4.add(r2, r3)));
      const rows = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(r0, r1), i16x8.narrow_i32x4_s(r2, r3));
      if (bytes) {
        v128.store(out + half, i8x16.shuffle(rows, rows, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
      } else {
        const pairs = i8x16.shuffle(rows, rows, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
        v128.store_lane<u64>(out + (half >> 1), pairs, 0);
        v128.store_lane<u64>(out + (half >> 1), pairs, 1, 16);
      }
    }
    v128.store_lane<u64>(scales + INT8_SCALES + (half >> 1), i16x8.narrow_i32x4_s(sums, sums), 0);
  }
}

/** Four columns of a row as integers; zeros past the end of the group. */
// @ts-expect-error: decorator
@inline
function integers(at: usize, end: usize, inverse: v128): v128 {
  if (at >= end) return i32x4.splat(0);
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), inverse)));
}

/**
 * Integers and scales → panels. Ints: integers, target, rows, columns, bytes from one row of them to the next and from one
 * column to the next; scales, bytes from one group of them to the next and from one column to the next; rows of a group,
 * whether for the kernels that multiply bytes. Split by panels.
 */
export function packInt8Job(chunk: i32): void {
  const rows = int(2);
  const columns = int(3);
  const group = int(9);
  const bytes = int(10) != 0;
  const panels = (columns + 7) >> 3;
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, panels);
  for (let panel = chunkStart(chunk, chunks, panels); panel < end; panel++) {
    let to = pointer(1) + <usize>panel * panelBytes(rows, group);
    for (let start = 0; start < rows; start += group) {
      const count = min(group, rows - start);
      const scales = to + quadBytes(count);
      memory.fill(to, 0, quadBytes(count) + INT8_SCALES + INT8_SUMS);
      for (let lane = 0; lane < min(8, columns - (panel << 3)); lane++) {
        const column = <usize>((panel << 3) + lane);
        let from = pointer(0) + column * pointer(5) + <usize>start * pointer(4);
        let sum = 0;
        for (let row = 0; row < count; row++, from += pointer(4)) {
          const integer = <i32>load<i8>(from);
          store<i8>(to + <usize>(row >> 2) * INT8_QUAD + inQuad(row, lane, bytes), integer);
          sum += integer;
        }
        const scale = pointer(6) + column * pointer(8) + <usize>(start / group) * pointer(7);
        store<f32>(scales + (<usize>lane << 2), load<f32>(scale));
        store<i16>(scales + INT8_SCALES + (<usize>lane << 1), sum);
      }
      to = scales + INT8_SCALES + INT8_SUMS;
    }
  }
}

/** Panels of integers → panels of floats. Ints as those of {@link encodeInt8Job}. */
export function decodeInt8Job(chunk: i32): void {
  const rows = int(2);
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, int(3));
  for (let panel = chunkStart(chunk, chunks, int(3)); panel < end; panel++) {
    const to = pointer(1) + ((<usize>panel * <usize>rows) << 5);
    for (let lane = 0; lane < 8; lane++) {
      int8Column(pointer(0), rows, int(4), int(5) != 0, (panel << 3) + lane, to + (<usize>lane << 2), 32);
    }
  }
}

/** A column of a packed matrix as floats, `step` bytes apart. */
export function int8Column(
  base: usize,
  rows: i32,
  group: i32,
  bytes: bool,
  column: i32,
  out: usize,
  step: usize,
): void {
  const lane = column & 7;
  let from = base + <usize>(column >> 3) * panelBytes(rows, group);
  for (let start = 0; start < rows; start += group) {
    const count = min(group, rows - start);
    const scales = from + quadBytes(count);
    const scale = load<f32>(scales + (<usize>lane << 2));
    for (let row = 0; row < count; row++, out += step) {
      store<f32>(out, <f32>(<i32>load<i8>(from + <usize>(row >> 2) * INT8_QUAD + inQuad(row, lane, bytes))) * scale);
    }
    from = scales + INT8_SCALES + INT8_SUMS;
  }
}
