/** Elements in memory, or in a file, by their distances. */
export interface StridedView {
  readonly shape: readonly number[];
  /** Elements from one index of each dimension to the next. */
  readonly strides: readonly number[];
  /** Bytes of an element: 1, 2, 4 or 8. */
  readonly elementBytes: number;
}

/** Whether the elements lie one after the other, the last index running fastest. */
export function isContiguous({ shape, strides }: Pick<StridedView, "shape" | "strides">): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** How many elements lie from the first to the last of a view that has any, those between included. */
export function spanOf({ shape, strides }: Pick<StridedView, "shape" | "strides">): number {
  return shape.reduce((last, size, axis) => last + (size - 1) * strides[axis]!, 0) + 1;
}

/**
 * Fills `target` with bytes of a view from byte `start` on, in the order of its indices.
 *
 * @param span the bytes from its first element on, in a buffer of their own
 */
export function gather(span: Uint8Array<ArrayBuffer>, view: StridedView, target: Uint8Array, start: number): void {
  const { shape, strides, elementBytes } = view;
  const first = Math.floor(start / elementBytes);
  const end = Math.ceil((start + target.length) / elementBytes);
  const elements = elementsOf(span, elementBytes);
  const gathered = elementsOf(new Uint8Array((end - first) * elementBytes), elementBytes);
  const index = indexOf(first, shape);
  let at = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
  for (let i = 0; i < gathered.length; i++) {
    gathered[i] = elements[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  const skipped = start - first * elementBytes;
  target.set(new Uint8Array(gathered.buffer, skipped, target.length));
}

/** Elements as integers of their size: their bits are kept. */
function elementsOf(
  bytes: Uint8Array<ArrayBuffer>,
  elementBytes: number,
): Uint8Array | Uint16Array | Uint32Array | BigUint64Array {
  switch (elementBytes) {
    case 1:
      return bytes;
    case 2:
      return new Uint16Array(bytes.buffer);
    case 4:
      return new Uint32Array(bytes.buffer);
    default:
      return new BigUint64Array(bytes.buffer);
  }
}

/** The index of the element with this number. */
function indexOf(element: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length).fill(0);
  for (let axis = shape.length - 1, left = element; axis >= 0; axis--) {
    index[axis] = left % shape[axis]!;
    left = Math.floor(left / shape[axis]!);
  }
  return index;
}
