import type { View } from "../backends/backend.ts";

/** Computes a result from a view of fresh memory, which is given back afterwards. */
export function usingIntermediate<T>(made: View, compute: (made: View) => T): T {
  made.storage.retain();
  try {
    return compute(made);
  } finally {
    made.storage.release();
  }
}
