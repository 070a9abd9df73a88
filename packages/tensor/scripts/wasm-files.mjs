// Writes the kernels as files, dist/kernels.wasm and dist/kernels-relaxed.wasm, for places where only what was compiled beforehand
// may run. Run after `tsc`.
import { writeFileSync } from "node:fs";
import { binaries } from "../dist/backends/wasm/kernels.generated.js";

const dist = new URL("../dist/", import.meta.url);
writeFileSync(new URL("kernels.wasm", dist), Buffer.from(binaries.simd, "base64"));
writeFileSync(new URL("kernels-relaxed.wasm", dist), Buffer.from(binaries.relaxed, "base64"));
