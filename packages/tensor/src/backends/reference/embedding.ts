import { ShapeMismatchError } from "../../errors.ts";
import type { Kernel } from "../backend.ts";
import { forEachIndex } from "./iterate.ts";

/** out[…, c] = table[ids[…], c]: table [V, C], ids [...], out [..., C]. */
export const embeddingKernel: Kernel<undefined> = (inputs, _, outputs) => {
  const table = inputs[0]!;
  const ids = inputs[1]!;
  const out = outputs[0]!;
  const [V, C] = table.shape as readonly [number, number];
  const [rowStep, columnStep] = table.strides as readonly [number, number];
  forEachIndex(ids.shape, [ids, out], (at) => {
    const id = ids.data[at[0]!]!;
    if (id < 0 || id >= V) {
      throw new ShapeMismatchError("embedding", `id ${id} is outside a table of ${V} rows (0 to ${V - 1})`);
    }
    const from = table.offset + id * rowStep;
    for (let c = 0; c < C; c++) out.data[at[1]! + c] = table.data[from + c * columnStep]!;
  });
};
