import { ShapeMismatchError } from "../../../errors.ts";
import type { Kernel } from "../../backend.ts";
import { forEachIndex } from "../iterate.ts";

/** dTable[ids[…], c] += dy[…, c], in the order of the ids: ids [...], dy [..., C], dTable [V, C]. */
export const embeddingBackwardKernel: Kernel<undefined> = ([ids, dy], _, [dTable]) => {
  const [V, C] = dTable!.shape as readonly [number, number];
  const [rowStep, columnStep] = dTable!.strides as readonly [number, number];
  forEachIndex(ids!.shape, [ids!, dy!], ([at, from]) => {
    const id = ids!.data[at!]!;
    if (id < 0 || id >= V) {
      throw new ShapeMismatchError("embeddingBackward", `id ${id} is outside a table of ${V} rows (0 to ${V - 1})`);
    }
    for (let c = 0; c < C; c++) {
      const to = dTable!.offset + id * rowStep + c * columnStep;
      dTable!.data[to] = dTable!.data[to]! + dy!.data[from! + c * dy!.strides.at(-1)!]!;
    }
  });
};
