import { afterEach, describe, expect, test, vi } from "vitest";
import { hasRelaxedSimd } from "../../src/backends/wasm/features.ts";
import { build } from "../../src/backends/wasm/kernels.generated.ts";
import { kernelBinary } from "../../src/backends/wasm/module.ts";
import { createWasmBackend, DeviceError, tensor } from "../../src/index.ts";

const compiled = (kind: "simd" | "relaxed") => new WebAssembly.Module(kernelBinary(kind === "relaxed"));

/** A module with one custom section, of this name and text. */
function withSection(name: string, text: string): WebAssembly.Module {
  const content = [name.length, ...Buffer.from(name), ...Buffer.from(text)];
  return new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, content.length, ...content]));
}

afterEach(() => vi.unstubAllGlobals());

/** As where programs may not compile: Cloudflare's workers, pages whose policy has no wasm-unsafe-eval. */
function forbidCompiling(): void {
  const { Module } = WebAssembly;
  class Forbidden {
    static customSections = Module.customSections;
    static [Symbol.hasInstance](module: unknown) {
      return module instanceof Module;
    }
    constructor() {
      throw new WebAssembly.CompileError("code generation disallowed");
    }
  }
  vi.stubGlobal("WebAssembly", { ...namespace(), Module: Forbidden, validate: WebAssembly.validate });
}

const namespace = () =>
  Object.fromEntries(Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)]));

describe("kernels that were compiled beforehand", () => {
  test("give the bits of those that the package compiles", () => {
    const values = Float32Array.from({ length: 96 * 96 }, (_, i) => Math.sin(i));
    const product = (device: ReturnType<typeof createWasmBackend>) => {
      const x = tensor(values, { device }).reshape([96, 96]);
      return x.matmul(x).dataSync();
    };
    const own = createWasmBackend({ deterministic: true, threads: 2 });
    const given = createWasmBackend({ module: compiled("simd"), threads: 2 });
    expect(given.info().relaxedSimd).toBe(false);
    expect(product(given)).toEqual(product(own));
    if (hasRelaxedSimd()) {
      const relaxed = createWasmBackend({ module: compiled("relaxed") });
      expect(relaxed.info().relaxedSimd).toBe(true);
      expect(product(relaxed)).toEqual(product(createWasmBackend()));
    }
  });

  test("work where compiling is forbidden; without them the error says what to do", () => {
    const module = compiled("simd");
    forbidCompiling();
    expect(() => createWasmBackend()).toThrow(
      /code generation disallowed; pass them compiled, as createWasmBackend\(\{ module \}\) with @gpt2-ts\/tensor\/kernels\.wasm, or use the reference device/,
    );
    expect(
      tensor([1, 2], { device: createWasmBackend({ module }) })
        .sum()
        .itemSync(),
    ).toBe(3);
  });

  test.each([
    ["no module", new Uint8Array(8), /expected a WebAssembly.Module/],
    ["another module", withSection("other", "text"), /another module/],
    ["an unreadable section", withSection("gpt2-ts", "simd"), /another module/],
    ["those of another build", withSection("gpt2-ts", "simd 0123456789abcdef"), /another version/],
    ["nothing of ours behind a right section", withSection("gpt2-ts", `simd ${build}x`), /another version/],
  ])("are refused if they are %s", (_, module, message) => {
    expect(() => createWasmBackend({ module })).toThrow(DeviceError);
    expect(() => createWasmBackend({ module })).toThrow(message);
  });

  test.runIf(hasRelaxedSimd())("fused multiply-adds and deterministic exclude each other", () => {
    expect(() => createWasmBackend({ module: compiled("relaxed"), deterministic: true })).toThrow(/needs kernels.wasm/);
  });
});
