// The k largest of a row. Numbers are compared by integer keys in which NaN counts as largest and -0 equals 0.
import { chunkCount, chunkStart, int, pointer } from "./control";

/**
 * Ints: x, bytes from one row to the next, values, indices, rows, columns, k (at least 1), whether x are floats. The
 * values' memory holds the keys, largest first, until the row is read.
 */
export function topKJob(chunk: i32): void {
  const columns = int(5);
  const k = int(6);
  const floats = int(7) != 0;
  const end = chunkStart(chunk + 1, chunkCount(), int(4));
  for (let row = chunkStart(chunk, chunkCount(), int(4)); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    const keys = pointer(2) + ((<usize>row * <usize>k) << 2);
    const indices = pointer(3) + ((<usize>row * <usize>k) << 2);
    for (let j = 0; j < k; j++) insert(keys, indices, j, key(x, j, floats), j);
    let j = k;
    for (; j + 4 <= columns; j += 4) {
      const four = v128.load(x + (<usize>j << 2));
      const found = i32x4.gt_s(floats ? keysOf(four) : four, i32x4.splat(load<i32>(keys + (<usize>(k - 1) << 2))));
      if (v128.any_true(found)) for (let i = j; i < j + 4; i++) offer(keys, indices, k, key(x, i, floats), i);
    }
    for (; j < columns; j++) offer(keys, indices, k, key(x, j, floats), j);
    for (let i: usize = 0; i < <usize>k; i++) {
      store<u32>(keys + (i << 2), load<u32>(x + (load<usize>(indices + (i << 2)) << 2)));
    }
  }
}

/** Integers in the order of the floats. */
// @ts-ignore: decorator
@inline
function keysOf(x: v128): v128 {
  const bits = f32x4.add(x, f32x4.splat(0));
  const ordered = v128.xor(bits, i32x4.shr_u(i32x4.shr_s(bits, 31), 1));
  return v128.bitselect(ordered, i32x4.splat(0x7fffffff), f32x4.eq(x, x));
}

// @ts-ignore: decorator
@inline
function key(x: usize, j: i32, floats: bool): i32 {
  const element = v128.load32_splat(x + (<usize>j << 2));
  return i32x4.extract_lane(floats ? keysOf(element) : element, 0);
}

/** Takes the element in if it is larger than the k-th so far. */
function offer(keys: usize, indices: usize, k: i32, key: i32, index: i32): void {
  if (key > load<i32>(keys + (<usize>(k - 1) << 2))) insert(keys, indices, k - 1, key, index);
}

/** Puts an element in its place among the first `count`, after its equals; the one at `count` is lost. */
function insert(keys: usize, indices: usize, count: i32, key: i32, index: i32): void {
  let at = <usize>count << 2;
  while (at > 0 && load<i32>(keys + at - 4) < key) {
    store<i32>(keys + at, load<i32>(keys + at - 4));
    store<i32>(indices + at, load<i32>(indices + at - 4));
    at -= 4;
  }
  store<i32>(keys + at, key);
  store<i32>(indices + at, index);
}
