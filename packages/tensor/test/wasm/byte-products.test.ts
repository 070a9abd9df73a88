import { describe, expect, it } from "vitest";
import { WasmBackend } from "../../src/backends/wasm/backend.ts";
import { hasRelaxedSimd } from "../../src/backends/wasm/features.ts";
import { createWasmBackend } from "../../src/backends/wasm/index.ts";
import { allEmulations, type Emulation, emulatedKernels } from "./byte-kernels.ts";

const found: Record<Emulation, string> = {
  unsigned: "unsigned bytes",
  signed: "signed bytes",
  saturating: "words",
  "seven bits": "words",
};

describe("the probe of byte products", () => {
  it.each(allEmulations)("tells what a processor's instruction is good for: %s", async (emulation) => {
    const backend = new WasmBackend({ threads: 1 }, await emulatedKernels(emulation));
    expect(backend.info().int8Products).toBe(found[emulation]);
    expect(backend.info().usedBytes).toBe(0);
    backend.dispose();
  });

  it("finds the same in both builds, and words where there is no relaxed SIMD", () => {
    const kinds = [true, false].map((deterministic) => {
      const backend = createWasmBackend({ threads: 1, deterministic });
      const { int8Products } = backend.info();
      backend.dispose();
      return int8Products;
    });
    expect(kinds[0]).toBe(kinds[1]);
    if (!hasRelaxedSimd()) expect(kinds[0]).toBe("words");
  });
});
