/**
 * ggml's Q8_0: 32 values in a row share a float16 scale d, and each is kept as round(x / d), one byte.
 *
 * Source: `quantize_row_q8_0_ref` of ggml-quants.c, whose bits this gives.
 */

const BLOCK = 32;
const SCALE_BYTES = 2;
const BLOCK_BYTES = SCALE_BYTES + BLOCK;

export function q8ByteLength(elements: number): number {
  if (elements % BLOCK !== 0)
    throw new RangeError(`Q8_0 keeps blocks of ${BLOCK} values; ${elements} are not whole blocks`);
  return (elements / BLOCK) * BLOCK_BYTES;
}

/** @throws RangeError if the number of values is not a multiple of 32. */
export function quantizeQ8(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(q8ByteLength(values.length));
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < values.length / BLOCK; block++) {
    const own = values.subarray(block * BLOCK, (block + 1) * BLOCK);
    let largest = 0;
    for (const value of own) largest = Math.max(largest, Math.abs(value));
    const d = Math.fround(largest / 127);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    view.setUint16(block * BLOCK_BYTES, float16Bits(d), true);
    for (let i = 0; i < BLOCK; i++) {
      const scaled = Math.fround(own[i]! * inverse);
      const rounded = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5); // halves away from zero, as roundf
      view.setInt8(block * BLOCK_BYTES + SCALE_BYTES + i, rounded);
    }
  }
  return bytes;
}

const SMALLEST_NORMAL = 2 ** -14;
/** From here on float16 rounds to infinity. */
const OVERFLOW = 65_520;

/** The float16 nearest to a number that is not negative, ties to even. */
export function float16Bits(value: number): number {
  if (value >= OVERFLOW) return 0x7c00;
  if (value < SMALLEST_NORMAL) return roundToEven(value * 2 ** 24);
  const exponent = Math.floor(Math.log2(value));
  // A mantissa that rounds up to 1024 carries into the exponent, as it should.
  return ((exponent + 14) << 10) + roundToEven(value * 2 ** (10 - exponent));
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
