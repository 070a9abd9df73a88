import { expect } from "vitest";

// Vitest compares typed arrays element by element, keys and all: seconds for a million numbers. Those with the same bytes are equal;
// the others are left to it.
expect.addEqualityTesters([
  (a: unknown, b: unknown): true | undefined =>
    isTypedArray(a) && isTypedArray(b) && a.constructor === b.constructor && bytesOf(a).equals(bytesOf(b))
      ? true
      : undefined,
]);

const TypedArray = Object.getPrototypeOf(Uint8Array) as { readonly prototype: Uint8Array };

function isTypedArray(value: unknown): value is Uint8Array {
  return value instanceof (TypedArray as unknown as typeof Uint8Array);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
