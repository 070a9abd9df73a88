/**
 * What a value is: `"ArrayBuffer"`, `"Float32Array"`, `"URL"`, `"Map"` and the like. Values of another realm (Jest's, a `vm`'s, an
 * iframe's) have other constructors, so `instanceof` does not know them.
 */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
