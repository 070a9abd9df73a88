// Strided copies: views to contiguous memory, into strided destinations, transposes.
import { chunkCount, chunkStart, int, pointer } from "./control";

// Arguments: source, destination, element bytes (1 or 4), rank, then per axis: size, source stride, destination stride
// (in elements). Axes were collapsed by the caller; work is split over the outermost axis.
const HEADER = 4;

export function copyJob(chunk: i32): void {
  const count = int(HEADER);
  const chunks = chunkCount();
  const start = chunkStart(chunk, chunks, count);
  const end = chunkStart(chunk + 1, chunks, count);
  const bytes = <usize>int(2);
  const source = pointer(0) + <usize>(start * int(HEADER + 1)) * bytes;
  const target = pointer(1) + <usize>(start * int(HEADER + 2)) * bytes;
  if (bytes == 4) copyWords(source, target, 0, end - start);
  else copyBytes(source, target, 0, end - start);
}

function copyWords(source: usize, target: usize, axis: i32, count: i32): void {
  const base = HEADER + 3 * axis;
  const sourceStep = (<usize>int(base + 1)) << 2;
  const targetStep = (<usize>int(base + 2)) << 2;
  const rank = int(3);
  if (axis == rank - 1) {
    if (sourceStep == 4 && targetStep == 4) {
      memory.copy(target, source, (<usize>count) << 2);
    } else {
      for (let i = 0; i < count; i++) {
        store<u32>(target, load<u32>(source));
        source += sourceStep;
        target += targetStep;
      }
    }
    return;
  }
  const innerCount = int(base + 3);
  if (axis == rank - 2 && sourceStep == 4 && int(base + 5) == 1) {
    transposeWords(source, target, count, innerCount, (<usize>int(base + 4)) << 2, targetStep);
    return;
  }
  for (let i = 0; i < count; i++) {
    copyWords(source, target, axis + 1, innerCount);
    source += sourceStep;
    target += targetStep;
  }
}

function copyBytes(source: usize, target: usize, axis: i32, count: i32): void {
  const base = HEADER + 3 * axis;
  const sourceStep = <usize>int(base + 1);
  const targetStep = <usize>int(base + 2);
  if (axis == int(3) - 1) {
    if (sourceStep == 1 && targetStep == 1) {
      memory.copy(target, source, <usize>count);
      return;
    }
    for (let i = 0; i < count; i++) {
      store<u8>(target, load<u8>(source));
      source += sourceStep;
      target += targetStep;
    }
    return;
  }
  const innerCount = int(base + 3);
  for (let i = 0; i < count; i++) {
    copyBytes(source, target, axis + 1, innerCount);
    source += sourceStep;
    target += targetStep;
  }
}

/**
 * `rows` rows of `columns`, where the source has the rows next to each other (column-major): blocks of 4×4 through
 * registers. `sourceStep`: bytes between columns in the source; `targetStep`: between rows in the target.
 */
function transposeWords(
  source: usize,
  target: usize,
  rows: i32,
  columns: i32,
  sourceStep: usize,
  targetStep: usize,
): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let from = source + ((<usize>row) << 2);
    let to = target + <usize>row * targetStep;
    let column = 0;
    for (; column + 4 <= columns; column += 4) {
      const a = v128.load(from);
      const b = v128.load(from + sourceStep);
      const c = v128.load(from + 2 * sourceStep);
      const d = v128.load(from + 3 * sourceStep);
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i32>(ab0, cd0, 0, 1, 4, 5));
      v128.store(to + targetStep, v128.shuffle<i32>(ab0, cd0, 2, 3, 6, 7));
      v128.store(to + 2 * targetStep, v128.shuffle<i32>(ab1, cd1, 0, 1, 4, 5));
      v128.store(to + 3 * targetStep, v128.shuffle<i32>(ab1, cd1, 2, 3, 6, 7));
      from += sourceStep << 2;
      to += 16;
    }
    for (; column < columns; column++) {
      for (let i: usize = 0; i < 4; i++) store<u32>(to + i * targetStep, load<u32>(from + (i << 2)));
      from += sourceStep;
      to += 4;
    }
  }
  for (; row < rows; row++) {
    let from = source + ((<usize>row) << 2);
    let to = target + <usize>row * targetStep;
    for (let column = 0; column < columns; column++) {
      store<u32>(to, load<u32>(from));
      from += sourceStep;
      to += 4;
    }
  }
}
