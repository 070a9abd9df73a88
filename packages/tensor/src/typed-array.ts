// By what they are, not by `instanceof`: arrays of another realm (Jest's, a `vm`'s, an iframe's) have other constructors.

const { get: typedArrayTag } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
) as { get(): string | undefined };

/** `"Float32Array"` and the like; undefined for what is no typed array. */
export function typedArrayName(value: unknown): string | undefined {
  return typedArrayTag.call(value as object);
}
