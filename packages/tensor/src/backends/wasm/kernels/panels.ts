// Packed matrices: panels of 8 columns, each [rows][8], the last one padded with zeros.
import { chunkCount, chunkStart, int, pointer } from "./control";

/** Panels packed together: their rows are one long run in a row-major source. */
const GROUP: i32 = 8;

/** Address of element (0, column) of a packed matrix; the next rows follow PANEL_ROW (../abi.ts) bytes apart. */
// @ts-ignore: decorator
@inline
export function panelColumn(base: usize, rows: i32, column: i32): usize {
  return base + ((<usize>(column >> 3) * <usize>rows) << 5) + (<usize>(column & 7) << 2);
}

/** Strided matrix → panels. Ints: source, target, rows, columns, row stride, column stride (elements). Split by panels. */
export function packPanelsJob(chunk: i32): void {
  const source = pointer(0);
  const target = pointer(1);
  const rows = int(2);
  const columns = int(3);
  const rowStep = <usize>int(4) << 2;
  const columnStep = <usize>int(5) << 2;
  const panels = (columns + 7) >> 3;
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, panels);
  let panel = chunkStart(chunk, chunks, panels);
  const whole = min(end, columns >> 3);
  while (panel < whole) {
    const from = source + <usize>(panel << 3) * columnStep;
    const to = target + ((<usize>panel * <usize>rows) << 5);
    if (columnStep == 4) {
      const group = min(GROUP, whole - panel);
      packRows(from, to, rows, rowStep, group);
      panel += group;
    } else {
      if (rowStep == 4) packColumns(from, to, rows, columnStep);
      else packAny(from, to, rows, 8, rowStep, columnStep);
      panel++;
    }
  }
  if (panel < end) {
    const from = source + <usize>(panel << 3) * columnStep;
    packAny(from, target + ((<usize>panel * <usize>rows) << 5), rows, columns & 7, rowStep, columnStep);
  }
}

/** `group` panels of a row-major source. */
export function packRows(source: usize, target: usize, rows: i32, rowStep: usize, group: i32): void {
  const panelStep = <usize>rows << 5;
  for (let row = 0; row < rows; row++) {
    let to = target;
    let from = source;
    for (let i = 0; i < group; i++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += 32;
      to += panelStep;
    }
    source += rowStep;
    target += 32;
  }
}

/** One panel of a column-major source: 4×4 transposes. */
export function packColumns(source: usize, target: usize, rows: i32, columnStep: usize): void {
  for (let half: usize = 0; half < 2; half++) {
    const c0 = source + half * 4 * columnStep;
    const c1 = c0 + columnStep;
    const c2 = c1 + columnStep;
    const c3 = c2 + columnStep;
    let to = target + (half << 4);
    let row = 0;
    for (; row + 4 <= rows; row += 4) {
      const at = <usize>row << 2;
      const a = v128.load(c0 + at);
      const b = v128.load(c1 + at);
      const c = v128.load(c2 + at);
      const d = v128.load(c3 + at);
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i32>(ab0, cd0, 0, 1, 4, 5));
      v128.store(to, v128.shuffle<i32>(ab0, cd0, 2, 3, 6, 7), 32);
      v128.store(to, v128.shuffle<i32>(ab1, cd1, 0, 1, 4, 5), 64);
      v128.store(to, v128.shuffle<i32>(ab1, cd1, 2, 3, 6, 7), 96);
      to += 128;
    }
    for (; row < rows; row++) {
      const at = <usize>row << 2;
      store<f32>(to, load<f32>(c0 + at));
      store<f32>(to, load<f32>(c1 + at), 4);
      store<f32>(to, load<f32>(c2 + at), 8);
      store<f32>(to, load<f32>(c3 + at), 12);
      to += 32;
    }
  }
}

/** One panel of up to 8 columns from any strides; missing columns become zeros. */
export function packAny(source: usize, target: usize, rows: i32, columns: i32, rowStep: usize, columnStep: usize): void {
  for (let row = 0; row < rows; row++) {
    let from = source;
    for (let column: i32 = 0; column < 8; column++) {
      store<f32>(target, column < columns ? load<f32>(from) : 0);
      from += columnStep;
      target += 4;
    }
    source += rowStep;
  }
}

/** Panels → row-major matrix. Ints: source, target, rows, columns. Split by rows. */
export function unpackPanelsJob(chunk: i32): void {
  const source = pointer(0);
  const target = pointer(1);
  const rows = int(2);
  const columns = int(3);
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, rows);
  for (let row = chunkStart(chunk, chunks, rows); row < end; row++) {
    let from = source + (<usize>row << 5);
    let to = target + ((<usize>row * <usize>columns) << 2);
    let column = 0;
    for (; column + 8 <= columns; column += 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += <usize>rows << 5;
      to += 32;
    }
    for (; column < columns; column++) {
      store<f32>(to, load<f32>(from));
      from += 4;
      to += 4;
    }
  }
}
