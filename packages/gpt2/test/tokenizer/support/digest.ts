import { createHash } from "node:crypto";

/** SHA-256 over items with their lengths; class Digest of oracle/make_fixtures.py computes the same. */
export class Digest {
  readonly #sha = createHash("sha256");

  text(text: string): void {
    const bytes = Buffer.from(text, "utf8");
    this.#sha.update(uint32([bytes.length])).update(bytes);
  }

  ids(ids: readonly number[]): void {
    this.#sha.update(uint32([ids.length])).update(uint32(ids));
  }

  hex(): string {
    return this.#sha.digest("hex");
  }
}

function uint32(values: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) bytes.setUint32(4 * i, value, true);
  return new Uint8Array(bytes.buffer);
}
