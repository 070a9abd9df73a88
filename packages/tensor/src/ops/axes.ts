import type { View } from "../backends/backend.ts";
import { normalizeAxis } from "../shape.ts";
import { transpose } from "./views.ts";

/** A view whose last axis is `axis` of x, exchanged with it; doing it again undoes it. */
export function axisLast(op: string, x: View, axis: number): View {
  return transpose(x, normalizeAxis(op, axis, x.shape.length), -1);
}
