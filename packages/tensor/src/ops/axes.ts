import type { View } from "../backends/backend.ts";
import { normalizeAxis } from "../shape.ts";
import { transpose } from "./views.ts";

/** Exchanges `axis` with the last axis; doing so again undoes it. */
export function axisLast(op: string, x: View, axis: number): View {
  return transpose(x, normalizeAxis(op, axis, x.shape.length), -1);
}
