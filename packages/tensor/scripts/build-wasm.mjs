// Compiles src/backends/wasm/kernels/*.ts (AssemblyScript) into src/backends/wasm/kernels.generated.ts: two binaries as
// base64 (plain SIMD; relaxed SIMD with fused multiply-add), and the number of every job.
//
// A job is an exported function `somethingJob(chunk: i32): void` in any kernel file: one piece of the work of an op. The
// switch from job numbers to functions, which workers run through, is written here.
import { createHash } from "node:crypto";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const sourceFolder = join(dirname(fileURLToPath(import.meta.url)), "../src");
const wasmFolder = join(sourceFolder, "backends/wasm");
const kernelFolder = join(wasmFolder, "kernels");
const target = join(wasmFolder, "kernels.generated.ts");
/** The generated module that pool.ts imports: it exists only while compiling. */
const switchModule = "jobSwitch.ts";

/** Files of constants that the kernels and TypeScript both import. */
const sharedFiles = [join(wasmFolder, "abi.ts"), join(sourceFolder, "encodings/int8-scheme.ts")];

const sources = new Map();
for (const name of (await readdir(kernelFolder)).sort()) {
  if (name.endsWith(".ts") && !name.endsWith(".d.ts")) {
    sources.set(name, await readFile(join(kernelFolder, name), "utf8"));
  }
}
for (const file of sharedFiles) {
  sources.set(relative(kernelFolder, file).replaceAll("\\", "/"), await readFile(file, "utf8"));
}

const flags = [
  "--runtime",
  "stub",
  "--importMemory",
  "--sharedMemory",
  "--noExportMemory",
  "--initialMemory",
  "1",
  "--maximumMemory",
  "65536",
  "--memoryBase",
  /^export const CONSTANTS = (\d+);/m.exec(sources.get("../abi.ts"))[1],
  "--optimizeLevel",
  "3",
  "--shrinkLevel",
  "0",
  "--noAssert",
  "--enable",
  "simd",
  "--enable",
  "threads",
];

const hash = createHash("sha256");
hash.update(await readFile(fileURLToPath(import.meta.url)));
for (const [name, text] of sources) hash.update(`${name}\0${text}\0`);
const stamp = `// built from ${hash.copy().digest("hex")}`;
const previous = await readFile(target, "utf8").catch(() => "");
if (previous.startsWith(stamp) && !process.argv.includes("--force")) process.exit(0);

const jobs = [];
for (const [file, text] of sources) {
  for (const [, name] of text.matchAll(/^export function (\w+Job)\(chunk: i32\): void/gm)) jobs.push({ name, file });
}
const switchSource = [
  ...jobs.map(({ name, file }) => `import { ${name} } from "./${file.slice(0, -3)}";`),
  "export function runChunk(job: i32, chunk: i32): void {",
  "  switch (job) {",
  ...jobs.map(({ name }, index) => `    case ${index}: ${name}(chunk); return;`),
  "    default: unreachable();",
  "  }",
  "}",
].join("\n");

const build = hash.digest("hex").slice(0, 16);
const [simd, relaxed] = [
  named("simd", await compile([])),
  named("relaxed", await compile(["--enable", "relaxed-simd"])),
];
const generated = `${stamp}
/** Numbers of the jobs, as the workers know them. */
export const jobs = {
${jobs.map(({ name }, index) => `  ${name}: ${index},`).join("\n")}
} as const;

/** What the kernels were built from. The binaries say so too: a job's number may differ from one build to another. */
export const build = "${build}";

/** The kernels as base64: compiled for plain SIMD, and with relaxed SIMD (fused multiply-add). */
export const binaries = {
  simd: "${simd.toString("base64")}",
  relaxed: "${relaxed.toString("base64")}",
} as const;
`;
// Renamed into place, so that a test run beside a build never reads half a file.
await writeFile(`${target}.${process.pid}.tmp`, generated);
await rename(`${target}.${process.pid}.tmp`, target);
console.error(`wasm kernels: ${jobs.length} jobs, ${simd.length} bytes (simd), ${relaxed.length} bytes (relaxed)`);

/** The binary with a custom section `gpt2-ts`: which kernels these are, and of which build. */
function named(kind, binary) {
  const text = (string) => [string.length, ...Buffer.from(string)];
  const content = [...text("gpt2-ts"), ...Buffer.from(`${kind} ${build}`)];
  return Buffer.concat([binary, Buffer.from([0, content.length, ...content])]); // both lengths are below 128
}

async function compile(extraFlags) {
  const { default: asc } = await import("assemblyscript/asc");
  let binary;
  const { error, stderr } = await asc.main(["pool.ts", "--outFile", "kernels.wasm", ...flags, ...extraFlags], {
    readFile: (name) => (name === switchModule ? switchSource : (sources.get(name) ?? null)),
    writeFile: (_name, contents) => {
      binary = Buffer.from(contents);
    },
    listFiles: () => [],
  });
  if (error) {
    console.error(stderr.toString());
    console.error(`wasm kernels: ${error.message}`);
    process.exit(1);
  }
  return binary;
}
