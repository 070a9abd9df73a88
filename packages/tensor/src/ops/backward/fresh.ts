import type { View } from "../../backends/backend.ts";
import { discard, wholeView } from "../../backends/dispatch.ts";
import { sizeOf } from "../../shape.ts";

/** Room for a result on the device of `beside`, for an op that also writes to memory that exists. */
export function usingFresh(beside: View, shape: readonly number[], fill: (fresh: View) => void): View {
  const { backend } = beside.storage;
  const fresh = wholeView(backend.allocate("float32", sizeOf(shape)), shape);
  try {
    fill(fresh);
    return fresh;
  } catch (error) {
    discard(fresh.storage);
    throw error;
  }
}
