// Writes the kernels as files, dist/kernels.wasm and dist/kernels-relaxed.wasm, for places where only what was compiled beforehand
// may run. Run after `tsc`.
import { writeFileSync } from "node:fs";
import { kernelBinary } from "../dist/backends/wasm/module.js";

const dist = new URL("../dist/", import.meta.url);
writeFileSync(new URL("kernels.wasm", dist), kernelBinary(false));
writeFileSync(new URL("kernels-relaxed.wasm", dist), kernelBinary(true));
