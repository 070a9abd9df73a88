/** Arrays that logits are read into, one for each length, allocated once, as in a program that reads logits repeatedly. */
export class ReadBuffers {
  readonly #byLength = new Map<number, Float32Array<ArrayBuffer>>();

  ofLength(length: number): Float32Array<ArrayBuffer> {
    const buffer = this.#byLength.get(length) ?? new Float32Array(length);
    this.#byLength.set(length, buffer);
    return buffer;
  }
}
