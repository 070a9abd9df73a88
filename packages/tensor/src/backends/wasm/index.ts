export { createWasmBackend, type WasmBackend, type WasmInfo, type WasmOptions } from "./backend.ts";
