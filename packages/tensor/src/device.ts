import type { Backend } from "./backends/backend.ts";
import { referenceBackend } from "./backends/reference/index.ts";
import { createWasmBackend } from "./backends/wasm/index.ts";
import { DeviceError } from "./errors.ts";
import { OptionError, showValue } from "./options.ts";

/** The devices that have a name here. */
export type DeviceChoice = "reference" | "wasm";

let sharedWasm: Backend | undefined;
let chosen: Backend | undefined;

/**
 * A device by name. `"wasm"` is one shared instance with the default number of threads; for others see
 * {@link createWasmBackend}. Throws {@link DeviceError} for an unknown name, or where the engine has no WebAssembly SIMD.
 */
export function device(name: DeviceChoice): Backend {
  switch (name) {
    case "reference":
      return referenceBackend;
    case "wasm":
      sharedWasm ??= createWasmBackend();
      return sharedWasm;
    default:
      throw new DeviceError(
        name,
        "no such device; there are reference, wasm, and gpu by createGpuBackend of @gpt2-ts/tensor/gpu",
      );
  }
}

/** The device on which tensors are created by default: `wasm`, unless {@link setDefaultDevice} chose another. */
export function defaultDevice(): Backend {
  chosen ??= device("wasm");
  return chosen;
}

/** What a `device` option asks for: a device by name, a backend itself, or the default. Throws {@link OptionError} for anything else. */
export function backendOf(choice: DeviceChoice | Backend | undefined): Backend {
  if (choice === undefined) return defaultDevice();
  if (typeof choice === "string") return device(choice);
  if (typeof choice?.allocate === "function") return choice;
  throw new OptionError("device", `expected the name of a device, or a backend, got ${showValue(choice)}`);
}

/** Sets the device on which tensors are created by default. */
export function setDefaultDevice(choice: DeviceChoice | Backend): void {
  if (choice === undefined)
    throw new OptionError("device", "expected the name of a device, or a backend, got undefined");
  chosen = backendOf(choice);
}
