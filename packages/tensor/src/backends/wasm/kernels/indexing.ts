// Elements of rows, chosen by indices that the caller has checked.
import { chunkCount, chunkStart, int, pointer } from "./control";

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
