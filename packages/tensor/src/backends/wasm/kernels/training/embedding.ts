// The gradient of a table whose rows were chosen by ids that the caller has checked.
import { chunkCount, chunkStart, int, pointer } from "../control";
import { addRow } from "../attention-values";

/** Columns that are the work of one thread at least: 64 bytes. */
const COLUMNS: i32 = 16;

/**
 * dTable[ids[i]] += dy[i], in order. Ints: ids, dy, bytes from one row to the next, dTable, bytes from one row to the next and from
 * one column to the next, ids' number, columns. Split by columns, so that each sum is one thread's.
 */
export function embeddingBackwardJob(chunk: i32): void {
  const columns = int(7);
  const groups = (columns + COLUMNS - 1) / COLUMNS;
  const first = chunkStart(chunk, chunkCount(), groups) * COLUMNS;
  const count = min(columns, chunkStart(chunk + 1, chunkCount(), groups) * COLUMNS) - first;
  const step = pointer(5);
  let id = pointer(0);
  let from = pointer(1) + (<usize>first << 2);
  const table = pointer(3) + <usize>first * step;
  for (let i = int(6); i > 0; i--, id += 4, from += pointer(2)) {
    let to = table + <usize>load<i32>(id) * pointer(4);
    if (step == 4) addRow(to, from, count, false);
    else for (let c: usize = 0; c < <usize>count; c++, to += step) store<f32>(to, load<f32>(to) + load<f32>(from + (c << 2)));
  }
}
