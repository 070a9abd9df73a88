// Compiles src/backends/wasm/kernels/*.ts (AssemblyScript) into src/backends/wasm/kernels.generated.ts: binaries as base64
// (plain SIMD; what makes of it that with relaxed SIMD, fused multiply-add; the products of bytes that either calls), and the
// number of every job.
//
// A job is an exported function `somethingJob(chunk: i32): void` in any kernel file: one piece of the work of an op. The
// switch from job numbers to functions, which workers run through, is written here.
import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deltaOf } from "./binary-delta.mjs";
import { compileKernels, kernelSources, wasmFolder } from "./compile-kernels.mjs";

const target = join(wasmFolder, "kernels.generated.ts");
/** The generated module that pool.ts imports: it exists only while compiling. */
const switchModule = "jobSwitch.ts";
const sources = await kernelSources();

const hash = createHash("sha256");
for (const script of ["binary-delta.mjs", "build-wasm.mjs", "compile-kernels.mjs"]) {
  hash.update(await readFile(fileURLToPath(new URL(script, import.meta.url))));
}
for (const [name, text] of sources) hash.update(`${name}\0${text}\0`);
const stamp = `// built from ${hash.copy().digest("hex")}`;
const previous = await readFile(target, "utf8").catch(() => "");
if (previous.startsWith(stamp) && !process.argv.includes("--force")) process.exit(0);

const jobs = [];
for (const [file, text] of sources) {
  for (const [, name] of text.matchAll(/^export function (\w+Job)\(chunk: i32\): void/gm)) jobs.push({ name, file });
}
sources.set(
  switchModule,
  [
    ...jobs.map(({ name, file }) => `import { ${name} } from "./${file.slice(0, -3)}";`),
    "export function runChunk(job: i32, chunk: i32): void {",
    "  switch (job) {",
    ...jobs.map(({ name }, index) => `    case ${index}: ${name}(chunk); return;`),
    "    default: unreachable();",
    "  }",
    "}",
  ].join("\n"),
);

const build = hash.digest("hex").slice(0, 16);
const simd = named("simd", await compileKernels(sources, "pool.ts", "CONSTANTS", false));
const relaxed = named("relaxed", await compileKernels(sources, "pool.ts", "CONSTANTS", true));
const bytes = await compileKernels(sources, "int8-bytes.ts", "BYTE_CONSTANTS", true);
const delta = deltaOf(simd, relaxed);
const generated = `${stamp}
/** Numbers of the jobs, as the workers know them. */
export const jobs = {
${jobs.map(({ name }, index) => `  ${name}: ${index},`).join("\n")}
} as const;

/** What the kernels were built from. The binaries say so too: a job's number may differ from one build to another. */
export const build = "${build}";

/**
 * The kernels as base64: compiled for plain SIMD; what makes of these those with relaxed SIMD (fused multiply-add), by
 * applyDelta; and those that multiply bytes, which need relaxed SIMD too.
 */
export const binaries = {
  simd: "${simd.toString("base64")}",
  relaxedDelta: "${delta.toString("base64")}",
  bytes: "${bytes.toString("base64")}",
} as const;
`;
// Renamed into place, so that a test run beside a build never reads half a file.
await writeFile(`${target}.${process.pid}.tmp`, generated);
await rename(`${target}.${process.pid}.tmp`, target);
const sizes = [
  `${simd.length} bytes (simd)`,
  `${relaxed.length} bytes (relaxed, ${delta.length} of them other than those)`,
  `${bytes.length} bytes (byte products)`,
];
console.error(`wasm kernels: ${jobs.length} jobs, ${sizes.join(", ")}`);

/** The binary with a custom section `gpt2-ts`: which kernels these are, and of which build. */
function named(kind, binary) {
  const content = ["gpt2-ts".length, ...Buffer.from("gpt2-ts"), ...Buffer.from(`${kind} ${build}`)];
  return Buffer.concat([binary, Buffer.from([0, content.length, ...content])]); // both lengths are below 128
}
