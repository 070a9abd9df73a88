// Compiles src/backends/wasm/kernels/**/*.ts (AssemblyScript): for build-wasm.mjs, and for tests that change a file.
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const sourceFolder = join(dirname(fileURLToPath(import.meta.url)), "../src");
export const wasmFolder = join(sourceFolder, "backends/wasm");
const kernelFolder = join(wasmFolder, "kernels");
/** Files of constants that the kernels and TypeScript both import. */
const sharedFiles = [join(wasmFolder, "abi.ts"), join(sourceFolder, "encodings/int8-scheme.ts")];

/** The text of every file that kernels are made of, by its path from the kernels' folder. */
export async function kernelSources() {
  const sources = new Map();
  for (const file of (await readdir(kernelFolder, { recursive: true })).sort()) {
    if (file.endsWith(".ts") && !file.endsWith(".d.ts")) {
      sources.set(file.replaceAll("\\", "/"), await readFile(join(kernelFolder, file), "utf8"));
    }
  }
  for (const file of sharedFiles) {
    sources.set(relative(kernelFolder, file).replaceAll("\\", "/"), await readFile(file, "utf8"));
  }
  return sources;
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

/**
 * The module that begins with a file. `constants`: the name in abi.ts of the address where its constants are. Throws what
 * the compiler says.
 */
export async function compileKernels(sources, entry, constants, relaxed) {
  const { default: asc } = await import("assemblyscript/asc");
  const base = new RegExp(`^export const ${constants} = (\\d+);`, "m").exec(sources.get("../abi.ts"))[1];
  let binary;
  const { error, stderr } = await asc.main(
    [
      entry,
      "--outFile",
      "kernels.wasm",
      ...flags,
      "--memoryBase",
      base,
      ...(relaxed ? ["--enable", "relaxed-simd"] : []),
    ],
    {
      readFile: (name) => sources.get(name) ?? null,
      writeFile: (_name, contents) => {
        binary = Buffer.from(contents);
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`wasm kernels: ${error.message}\n${stderr.toString()}`);
  return binary;
}
