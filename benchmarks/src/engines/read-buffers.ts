/** Arrays that logits are read into, one of each length: taken once, as by a program that reads them again and again. */
export class ReadBuffers {
  readonly #byLength = new Map<number, Float32Array<ArrayBuffer>>();

  ofLength(length: number): Float32Array<ArrayBuffer> {
    const buffer = this.#byLength.get(length) ?? new Float32Array(length);
    this.#byLength.set(length, buffer);
    return buffer;
  }
}
