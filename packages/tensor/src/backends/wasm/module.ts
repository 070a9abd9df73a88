import { DeviceError } from "../../errors.ts";
import { applyDelta } from "./delta.ts";
import { binaries, build } from "./kernels.generated.ts";

/** The kernels, ready to be instantiated. */
export interface Kernels {
  readonly module: WebAssembly.Module;
  readonly relaxedSimd: boolean;
}

/** The custom section in which a binary says what it is. */
const SECTION = "gpt2-ts";

/** What to do where an engine refuses to compile. */
const ALTERNATIVES =
  "pass them compiled, as createWasmBackend({ module }) with @gpt2-ts/tensor/kernels.wasm, or use the reference device";

/** The kernels that this package brings along as text, compiled now. */
export function compiledKernels(relaxedSimd: boolean): Kernels {
  return { module: compiledModule(kernelBinary(relaxedSimd)), relaxedSimd };
}

/** The binary of the kernels, for plain or for relaxed SIMD. */
export function kernelBinary(relaxedSimd: boolean): Uint8Array<ArrayBuffer> {
  const simd = decodeBase64(binaries.simd);
  return relaxedSimd ? applyDelta(simd, decodeBase64(binaries.relaxedDelta)) : simd;
}

/** The binary of the kernels that multiply bytes. */
export function byteKernelBinary(): Uint8Array<ArrayBuffer> {
  return decodeBase64(binaries.bytes);
}

/** A module of this package. Throws {@link DeviceError} where programs may not compile; `alternatives`: what to do then. */
export function compiledModule(binary: Uint8Array, alternatives = ALTERNATIVES): WebAssembly.Module {
  try {
    return new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError("wasm", `the kernels cannot be compiled here: ${reason}; ${alternatives}`, { cause });
  }
}

/** The kernels that a program compiled, or had compiled, itself. Throws {@link DeviceError} for other modules. */
export function kernelsIn(module: object, deterministic: boolean): Kernels {
  if (typeof WebAssembly !== "object" || !(module instanceof WebAssembly.Module)) {
    throw new DeviceError("wasm", "module: expected a WebAssembly.Module of @gpt2-ts/tensor/kernels.wasm");
  }
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  const [kind, builtFrom] = section === undefined ? [] : new TextDecoder().decode(section).split(" ");
  if (builtFrom === undefined) {
    throw new DeviceError("wasm", "module: this is another module than @gpt2-ts/tensor/kernels.wasm");
  }
  if (builtFrom !== build) {
    throw new DeviceError("wasm", "module: these kernels are of another version of @gpt2-ts/tensor");
  }
  const relaxedSimd = kind === "relaxed";
  if (relaxedSimd && deterministic) {
    const detail = "module: deterministic needs kernels.wasm; kernels-relaxed.wasm rounds as the processor does";
    throw new DeviceError("wasm", detail);
  }
  return { module, relaxedSimd };
}

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
