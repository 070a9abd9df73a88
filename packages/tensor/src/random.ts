import { cos, log, sin } from "./backends/reference/math.ts";

/**
 * A seeded, counter-based source of random numbers: number `i` of seed `s` is a function of `s` and `i` alone, so the
 * same seed gives the same numbers on every platform, engine and thread count.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), the generator
 * of cuRAND and of PyTorch on GPUs.
 */
export class Generator {
  readonly seed: number;
  readonly #key: readonly [number, number];
  /** The number of the next block, and the stream: an array of its own, because a new one for each block takes time. */
  readonly #place: [number, number, number, number];
  readonly #block = new Uint32Array(4);
  #counter = 0;
  #used = 4;

  /**
   * @param stream two integers in 0..2^32-1: each pair has numbers of its own for the same seed, so that what is drawn for one step
   *   of a training, say, does not depend on what was drawn before
   * @throws RangeError unless `seed` is an integer in 0..2^53-1, and for a stream out of range
   */
  constructor(seed: number, stream: readonly [number, number] = [0, 0]) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`seed: expected an integer from 0 to 2^53 - 1, got ${seed}`);
    }
    if (stream.length !== 2 || stream.some((word) => word !== word >>> 0)) {
      throw new RangeError(`stream: expected two integers from 0 to 2^32 - 1, got ${stream.join(", ")}`);
    }
    this.seed = seed;
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#place = [0, 0, ...stream];
  }

  /** An integer in 0..2^32-1. */
  uint32(): number {
    if (this.#used === 4) {
      this.#place[0] = this.#counter >>> 0;
      this.#place[1] = Math.floor(this.#counter / 2 ** 32);
      this.#counter++;
      philox4x32(this.#block, this.#place, this.#key);
      this.#used = 0;
    }
    return this.#block[this.#used++]!;
  }

  /** A float64 in [0, 1), with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A float64 from the standard normal distribution (Box and Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    return radius * cos(2 * Math.PI * this.uniform());
  }

  /** Two independent standard normals from one pair of uniforms. */
  normalPair(): [number, number] {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    return [radius * cos(angle), radius * sin(angle)];
  }

  /** An integer in `low`..`high - 1`, without bias. Throws a RangeError when that is empty or wider than 2^32. */
  integer(low: number, high: number): number {
    const range = high - low;
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || range <= 0 || range > 2 ** 32) {
      throw new RangeError(`integer: expected low < high at most 2^32 apart, got ${low} and ${high}`);
    }
    const fair = 2 ** 32 - (2 ** 32 % range); // numbers past the last whole multiple of the range would favour small results
    let drawn = this.uint32();
    while (drawn >= fair) drawn = this.uint32();
    return low + (drawn % range);
  }
}

const rounds = 10;
const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9; // golden ratio
const weyl1 = 0xbb67ae85; // sqrt(3) - 1

/** Fills `out` with block `counter` (below 2^53) of the stream of `key`. Exported for its known-answer test. */
export function philox4x32(
  out: Uint32Array,
  counter: number | readonly [number, number, number, number],
  key: readonly [number, number],
): void {
  let [c0, c1, c2, c3] = typeof counter === "number" ? [counter >>> 0, Math.floor(counter / 2 ** 32), 0, 0] : counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2);
    const low0 = Math.imul(multiplier0, c0);
    const low1 = Math.imul(multiplier1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c1 = low1 >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + weyl0) >>> 0;
    k1 = (k1 + weyl1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // < 2^32: no rounding
  const cross = aLow * bHigh + (middle & 0xffff); // < 2^32
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}
