// Compiles src/backends/wasm/kernels/**/*.ts (AssemblyScript) into src/backends/wasm/kernels.generated.ts: binaries as base64
// (plain SIMD; what makes of it that with relaxed SIMD, fused multiply-add; the products of bytes that either calls), and the
// number of every job. What is in kernels/training/ is a module of its own, in training/kernels.generated.ts, for those who train.
//
// A job is an exported function `somethingJob(chunk: i32): void` in any kernel file: one piece of the work of an op. The
// switches from job numbers to functions, which workers run through, are written here.
import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deltaOf } from "./binary-delta.mjs";
import { compileKernels, kernelSources, wasmFolder } from "./compile-kernels.mjs";

const target = join(wasmFolder, "kernels.generated.ts");
const trainingTarget = join(wasmFolder, "training/kernels.generated.ts");
/** The generated modules, which exist only while compiling: that which pool.ts imports, and the one that training/ begins with. */
const switchModule = "jobSwitch.ts";
const trainingModule = "training/jobSwitch.ts";
const sources = await kernelSources();

const hash = createHash("sha256");
for (const script of ["binary-delta.mjs", "build-wasm.mjs", "compile-kernels.mjs"]) {
  hash.update(await readFile(fileURLToPath(new URL(script, import.meta.url))));
}
for (const [name, text] of sources) hash.update(`${name}\0${text}\0`);
const stamp = `// built from ${hash.copy().digest("hex")}`;
const previous = await Promise.all([target, trainingTarget].map((file) => readFile(file, "utf8").catch(() => "")));
if (previous.every((text) => text.startsWith(stamp)) && !process.argv.includes("--force")) process.exit(0);

/** Jobs by name, with their number and file. */
const jobs = [];
const trainingJobs = [];
const [, firstTrainingJob] = /^export const TRAINING_JOBS = (\d+);/m.exec(sources.get("../abi.ts"));
for (const [file, text] of sources) {
  const [list, first] = file.startsWith("training/") ? [trainingJobs, Number(firstTrainingJob)] : [jobs, 0];
  for (const [, name] of text.matchAll(/^export function (\w+Job)\(chunk: i32\): void/gm)) {
    list.push({ name, number: first + list.length, file: file.slice(0, -3) });
  }
}
sources.set(switchModule, switchOf(jobs, "./", "runTrainingChunk(job, chunk)"));
sources.set(trainingModule, switchOf(trainingJobs, "../", "unreachable()"));

const build = hash.digest("hex").slice(0, 16);
const simd = named("simd", await compileKernels(sources, "pool.ts", "CONSTANTS", false));
const relaxed = named("relaxed", await compileKernels(sources, "pool.ts", "CONSTANTS", true));
const bytes = await compileKernels(sources, "int8-bytes.ts", "BYTE_CONSTANTS", true);
const delta = deltaOf(simd, relaxed);
const training = await compileKernels(sources, trainingModule, "TRAINING_CONSTANTS", false);
const trainingDelta = deltaOf(training, await compileKernels(sources, trainingModule, "TRAINING_CONSTANTS", true));
const generated = `${stamp}
/** Numbers of the jobs, as the workers know them. */
export const jobs = {
${numbersOf(jobs)}
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
await replace(
  trainingTarget,
  `${stamp}
/** Numbers of the jobs of training, as the workers know them. */
export const jobs = {
${numbersOf(trainingJobs)}
} as const;

/** As base64, compiled for plain SIMD, and what makes of these those with relaxed SIMD, by applyDelta. */
export const binaries = {
  simd: "${training.toString("base64")}",
  relaxedDelta: "${trainingDelta.toString("base64")}",
} as const;
`,
);
await replace(target, generated);
const sizes = [
  `${simd.length} bytes (simd)`,
  `${relaxed.length} bytes (relaxed, ${delta.length} of them other than those)`,
  `${bytes.length} bytes (byte products)`,
  `${training.length} bytes (training, ${trainingDelta.length} for relaxed)`,
];
console.error(`wasm kernels: ${jobs.length + trainingJobs.length} jobs, ${sizes.join(", ")}`);

/** The source of a module that runs the jobs of a list by number. `other`: what it does with other numbers. */
function switchOf(list, base, other) {
  return [
    `import { runTrainingChunk } from "${base}training-module";`,
    ...list.map(({ name, file }) => `import { ${name} } from "${base}${file}";`),
    "export function runChunk(job: i32, chunk: i32): void {",
    "  switch (job) {",
    ...list.map(({ name, number }) => `    case ${number}: ${name}(chunk); return;`),
    `    default: ${other};`,
    "  }",
    "}",
  ].join("\n");
}

function numbersOf(list) {
  return list.map(({ name, number }) => `  ${name}: ${number},`).join("\n");
}

/** Renamed into place, so that a test run beside a build never reads half a file. */
async function replace(file, text) {
  await writeFile(`${file}.${process.pid}.tmp`, text);
  await rename(`${file}.${process.pid}.tmp`, file);
}

/** The binary with a custom section `gpt2-ts`: which kernels these are, and of which build. */
function named(kind, binary) {
  const content = ["gpt2-ts".length, ...Buffer.from("gpt2-ts"), ...Buffer.from(`${kind} ${build}`)];
  return Buffer.concat([binary, Buffer.from([0, content.length, ...content])]); // both lengths are below 128
}
