/** Pickles for Python to read, protocol 2. What the codes do: CPython's `Lib/pickletools.py`. */

const PROTO = [0x80, 2];
const EMPTY_LIST = 0x5d;
const MARK = 0x28;
const APPENDS = 0x65;
const NEWTRUE = 0x88;
const NEWFALSE = 0x89;
const BINFLOAT = 0x47;
const TUPLE1 = 0x85;
const REDUCE = 0x52;
const STOP = 0x2e;
/**
 * GLOBAL, and the function it names. `numpy.array([…])` is public and the same in every NumPy; what NumPy's own pickles name
 * moved from `numpy.core` to `numpy._core` in 2.0.
 */
const NUMPY_ARRAY = new TextEncoder().encode("cnumpy\narray\n");
const FLOAT_BYTES = 8;

/** A list of bools. */
export function pickleBools(values: readonly boolean[]): Uint8Array {
  const items = Uint8Array.from(values, (value) => (value ? NEWTRUE : NEWFALSE));
  return joined(PROTO, list(items), [STOP]);
}

/** A NumPy array `[values]` of float64, the values to the bit. */
export function pickleFloatArray(values: readonly number[]): Uint8Array {
  const items = new DataView(new ArrayBuffer(values.length * (1 + FLOAT_BYTES)));
  for (const [i, value] of values.entries()) {
    const at = i * (1 + FLOAT_BYTES);
    items.setUint8(at, BINFLOAT);
    items.setFloat64(at + 1, value, false); // big-endian
  }
  return joined(PROTO, NUMPY_ARRAY, list(new Uint8Array(items.buffer)), [TUPLE1, REDUCE, STOP]);
}

function list(items: Uint8Array): Uint8Array {
  return joined([EMPTY_LIST, MARK], items, [APPENDS]);
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}
