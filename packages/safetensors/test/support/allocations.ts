const CLASSES = [
  "ArrayBuffer",
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
] as const;

/** Records the bytes of every buffer or typed array made by its length, until `stop`. */
export function watchAllocations() {
  const seen = { bytes: 0 };
  const originals = CLASSES.map((name) => [name, globalThis[name]] as const);
  for (const [name, original] of originals) {
    const elementBytes = "BYTES_PER_ELEMENT" in original ? original.BYTES_PER_ELEMENT : 1;
    const watched = new Proxy(original, {
      construct(target, parameters, newTarget) {
        if (typeof parameters[0] === "number") seen.bytes += parameters[0] * elementBytes;
        return Reflect.construct(target, parameters, newTarget);
      },
    });
    Object.defineProperty(globalThis, name, { value: watched, configurable: true, writable: true });
  }
  return {
    seen,
    stop(): void {
      for (const [name, value] of originals) {
        Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
      }
    },
  };
}
