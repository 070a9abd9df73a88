// Rows of a table, and elements of rows, chosen by indices that the caller has checked.
import { chunkCount, chunkStart, int, pointer } from "./control";
import { panelColumn } from "./panels";

/**
 * Ints: table, ids, out, ids' number, columns, whether the table is the transpose of a packed matrix, bytes from one row
 * of the table to the next and from one column to the next.
 */
export function embeddingJob(chunk: i32): void {
  const columns = int(4);
  const packed = int(5) != 0;
  const step = pointer(7);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let i = chunkStart(chunk, chunkCount(), int(3)); i < end; i++) {
    const id = load<i32>(pointer(1) + (<usize>i << 2));
    let out = pointer(2) + ((<usize>i * <usize>columns) << 2);
    let from = packed ? panelColumn(pointer(0), columns, id) : pointer(0) + <usize>id * pointer(6);
    if (step == 4) memory.copy(out, from, <usize>columns << 2);
    else {
      const stop = out + (<usize>columns << 2);
      for (; out < stop; out += 4, from += step) store<u32>(out, load<u32>(from));
    }
  }
}

/** Ints: x, bytes from one row of x to the next, indices, out, rows, indices of a row. */
export function gatherJob(chunk: i32): void {
  const count = int(5);
  const end = chunkStart(chunk + 1, chunkCount(), int(4));
  for (let row = chunkStart(chunk, chunkCount(), int(4)); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    const start = <usize>row * <usize>count;
    for (let j = start; j < start + <usize>count; j++) {
      store<u32>(pointer(3) + (j << 2), load<u32>(x + (load<usize>(pointer(2) + (j << 2)) << 2)));
    }
  }
}
