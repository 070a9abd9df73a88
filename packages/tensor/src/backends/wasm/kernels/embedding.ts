// Rows of a table, chosen by ids that the caller has checked.
import { TABLE_BF16, TABLE_F32, TABLE_INT8 } from "../abi";
import { bf16At } from "./bf16";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { int8Column } from "./int8-pack";
import { panelColumn } from "./panels";

/**
 * Ints: table, ids, out, ids' number, columns, what the table is (TABLE_… of ../abi.ts); for floats bytes from one row of the
 * table to the next and from one column to the next, for integers rows of a group and whether they are for kernels that
 * multiply bytes.
 */
export function embeddingJob(chunk: i32): void {
  const columns = int(4);
  const kind = int(5);
  const step = pointer(7);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let i = chunkStart(chunk, chunkCount(), int(3)); i < end; i++) {
    const id = load<i32>(pointer(1) + (<usize>i << 2));
    let out = pointer(2) + ((<usize>i * <usize>columns) << 2);
    if (kind == TABLE_BF16) {
      for (let row = 0; row < columns; row++, out += 4) store<f32>(out, bf16At(pointer(0), columns, row, id));
      continue;
    }
    if (kind == TABLE_INT8) {
      int8Column(pointer(0), columns, int(6), int(7) != 0, id, out, 4);
      continue;
    }
    let from = kind == TABLE_F32 ? panelColumn(pointer(0), columns, id) : pointer(0) + <usize>id * pointer(6);
    if (step == 4) memory.copy(out, from, <usize>columns << 2);
    else {
      const stop = out + (<usize>columns << 2);
      for (; out < stop; out += 4, from += step) store<u32>(out, load<u32>(from));
    }
  }
}
