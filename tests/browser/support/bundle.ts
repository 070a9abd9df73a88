import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build as buildWithEsbuild, type Plugin } from "esbuild";
import { build as buildWithVite, type Rolldown } from "vite";
import { chunksLoadedWith } from "../../../benchmarks/src/against/chunks.ts";
import { repository } from "./paths.ts";

const page = repository("tests/browser/page");

export interface BundleFileOptions {
  readonly external?: string[];
  readonly minify?: boolean;
  /** For entries that use the tensor package's tests: what these import of its source is taken from what is built. */
  readonly tensorTests?: boolean;
}

/** Bundles an entry file of `page/` for browsers with esbuild's defaults: nothing is configured for the packages. */
export async function bundleFile(file: string, options: BundleFileOptions = {}): Promise<string> {
  const { external = [], minify = false, tensorTests = false } = options;
  const { outputFiles } = await buildWithEsbuild({
    entryPoints: [`${page}/${file}`],
    bundle: true,
    format: "esm",
    write: false,
    external,
    minify,
    plugins: tensorTests ? [builtTensor] : [],
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

const builtTensor: Plugin = {
  name: "built-tensor",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^(\.\.\/)+src\/.*\.ts$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path)
        .replace(repository("packages/tensor/src/"), repository("packages/tensor/dist/"))
        .replace(/\.ts$/, ".js"),
    })),
};

/** Bundles an entry file of `page/` with Vite's defaults: its code, and that of the workers it starts, by their paths. */
export async function bundleFileWithVite(
  file: string,
): Promise<{ readonly code: string; readonly workers: readonly (readonly [path: string, code: string])[] }> {
  const { chunks, assets } = await vite(`${page}/${file}`, { codeSplitting: false });
  return { code: chunks[0]!.code, workers: assets.map(({ fileName, source }) => [`/${fileName}`, String(source)]) };
}

/** Source text bundled and minified: what a page loads at once. */
export interface Bundle {
  readonly bytes: number;
  readonly gzipBytes: number;
  /** The files that something of is in it, relative to the repository. */
  readonly modules: readonly string[];
  /** The files that something of is in what it loads later, if asked to. */
  readonly later: readonly string[];
  /** What it imports from elsewhere when it runs. */
  readonly imports: readonly string[];
  readonly warnings: readonly string[];
}

/** A file that a bundler makes. */
interface Chunk {
  readonly code: string;
  /** The files that something of is in it. */
  readonly files: readonly string[];
  /** What it imports as soon as it is loaded: names of chunks, or of what lies elsewhere. */
  readonly imports: readonly string[];
}

const repositoryPrefix = repository("");

/** What of the chunks the one named `entry` loads at once, and what later. */
function bundleOf(chunks: ReadonlyMap<string, Chunk>, entry: string, warnings: readonly string[]): Bundle {
  const atOnce = new Set(chunksLoadedWith(entry, (name) => chunks.get(name)?.imports));
  const filesOf = (some: readonly Chunk[]): string[] =>
    some
      .flatMap(({ files }) => files.map((file) => file.replace(repositoryPrefix, "")))
      .filter((file) => file.includes("/"));
  const loaded = [...atOnce].map((name) => chunks.get(name)!);
  const imports = loaded.flatMap((chunk) => chunk.imports.filter((name) => !chunks.has(name)));
  return {
    bytes: loaded.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0),
    gzipBytes: loaded.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0),
    modules: filesOf(loaded),
    later: filesOf([...chunks].filter(([name]) => !atOnce.has(name)).map(([, chunk]) => chunk)),
    imports,
    warnings,
  };
}

export const bundlers = {
  async esbuild(source: string): Promise<Bundle> {
    const { outputFiles, metafile, warnings } = await buildWithEsbuild({
      stdin: { contents: source, resolveDir: page, loader: "ts" },
      absWorkingDir: repositoryPrefix,
      outdir: "out",
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    const chunks = new Map<string, Chunk>();
    for (const [i, [name, { inputs, imports }]] of Object.entries(metafile.outputs).entries()) {
      chunks.set(name, {
        code: outputFiles[i]!.text,
        files: Object.keys(inputs).filter((file) => inputs[file]!.bytesInOutput > 0),
        imports: imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path),
      });
    }
    const [entry] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === "<stdin>")!;
    return bundleOf(
      chunks,
      entry,
      warnings.map(({ text }) => text),
    );
  },

  async vite(source: string): Promise<Bundle> {
    const warnings: string[] = [];
    const entry = `${page}/from-source.ts`;
    const output = await vite(entry, { source, warnings });
    const chunks = new Map<string, Chunk>();
    for (const { fileName, code, modules, imports } of output.chunks) {
      const files = Object.keys(modules).filter((file) => modules[file]!.renderedLength > 0 && file !== entry);
      chunks.set(fileName, { code, files, imports });
    }
    return bundleOf(chunks, output.chunks[0]!.fileName, warnings);
  },
};

/** The chunks that Vite makes of an entry file, that one's first, and the other files. */
async function vite(
  entry: string,
  { source, warnings = [], codeSplitting = true }: { source?: string; warnings?: string[]; codeSplitting?: boolean },
): Promise<{ readonly chunks: readonly Rolldown.OutputChunk[]; readonly assets: readonly Rolldown.OutputAsset[] }> {
  const inMemory = {
    name: "source-in-memory",
    resolveId: (id: string) => (id === entry ? id : null),
    load: (id: string) => (id === entry ? source : null),
  };
  const result = await buildWithVite({
    root: page,
    configFile: false,
    logLevel: "warn",
    plugins: source === undefined ? [] : [inMemory],
    customLogger: {
      ...silentLogger,
      warn: (text) => {
        if (!text.includes("PLUGIN_TIMINGS")) warnings.push(text); // of a slow machine, not of the package
      },
      warnOnce: (text) => warnings.push(text),
    },
    build: {
      write: false,
      rolldownOptions: {
        input: entry,
        output: { codeSplitting },
        ...(source !== undefined && { preserveEntrySignatures: "strict" as const }),
      },
    },
  });
  const { output } = result as Rolldown.RolldownOutput;
  const chunks = output.filter((file) => file.type === "chunk");
  return {
    chunks: chunks.toSorted((a, b) => Number(b.isEntry) - Number(a.isEntry)),
    assets: output.filter((file) => file.type === "asset"),
  };
}

const silentLogger = {
  hasWarned: false,
  info: () => {},
  warn: () => {},
  warnOnce: () => {},
  error: () => {},
  clearScreen: () => {},
  hasErrorLogged: () => false,
};
