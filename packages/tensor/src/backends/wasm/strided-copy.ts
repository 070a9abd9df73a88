import { contiguousStrides } from "../../shape.ts";

/** One axis of a copy: elements, and elements between them in the source and in the target. */
export interface CopyAxis {
  readonly size: number;
  readonly source: number;
  readonly target: number;
}

/**
 * The fewest axes that describe a strided copy: axes of size one go, and neighbours that are evenly spaced in both source
 * and target become one. At least one axis is left.
 */
export function collapsedCopy(
  shape: readonly number[],
  sourceStrides: readonly number[],
  targetStrides: readonly number[] = contiguousStrides(shape),
): CopyAxis[] {
  const axes: CopyAxis[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const next: CopyAxis = { size: shape[axis]!, source: sourceStrides[axis]!, target: targetStrides[axis]! };
    if (next.size === 1) continue;
    const outer = axes.at(-1);
    if (outer && outer.source === next.source * next.size && outer.target === next.target * next.size) {
      axes[axes.length - 1] = { size: outer.size * next.size, source: next.source, target: next.target };
    } else {
      axes.push(next);
    }
  }
  return axes.length > 0 ? axes : [{ size: 1, source: 1, target: 1 }];
}
