import { gzipSync } from "node:zlib";
import { build as buildWithEsbuild } from "esbuild";
import { build as buildWithVite, type Rolldown } from "vite";
import { repository } from "./paths.ts";

const page = repository("tests/browser/page");

/** Bundles an entry file of `page/` for browsers with esbuild's defaults: nothing is configured for the packages. */
export async function bundleFile(file: string, { external = [] as string[] } = {}): Promise<string> {
  const { outputFiles } = await buildWithEsbuild({
    entryPoints: [`${page}/${file}`],
    bundle: true,
    format: "esm",
    write: false,
    external,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

/** Bundles an entry file of `page/` with Vite's defaults. */
export async function bundleFileWithVite(file: string): Promise<string> {
  const [{ code }] = await vite(`${page}/${file}`);
  return code;
}

/** Source text bundled and minified. */
export interface Bundle {
  readonly bytes: number;
  readonly gzipBytes: number;
  /** The files that something of is in it, relative to the repository. */
  readonly modules: readonly string[];
  /** What it imports when it runs. */
  readonly imports: readonly string[];
  readonly warnings: readonly string[];
}

const repositoryPrefix = repository("");

function bundleOf(code: string, files: readonly string[], rest: Pick<Bundle, "imports" | "warnings">): Bundle {
  return {
    bytes: Buffer.byteLength(code),
    gzipBytes: gzipSync(code, { level: 9 }).length,
    modules: files.map((file) => file.replace(repositoryPrefix, "")).filter((file) => file.includes("/")),
    ...rest,
  };
}

export const bundlers = {
  async esbuild(source: string): Promise<Bundle> {
    const { outputFiles, metafile, warnings } = await buildWithEsbuild({
      stdin: { contents: source, resolveDir: page, loader: "ts" },
      absWorkingDir: repositoryPrefix,
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    const { inputs, imports } = Object.values(metafile.outputs)[0]!;
    const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
    return bundleOf(
      outputFiles[0]!.text,
      used.map(([file]) => file),
      { imports: imports.map(({ path }) => path), warnings: warnings.map(({ text }) => text) },
    );
  },

  async vite(source: string): Promise<Bundle> {
    const warnings: string[] = [];
    const entry = `${page}/from-source.ts`;
    const [{ code, modules, imports, dynamicImports }] = await vite(entry, source, warnings);
    const used = Object.entries(modules).filter(([, { renderedLength }]) => renderedLength > 0);
    return bundleOf(
      code,
      used.map(([file]) => file).filter((file) => file !== entry),
      { imports: [...imports, ...dynamicImports], warnings },
    );
  },
};

async function vite(entry: string, source?: string, warnings: string[] = []): Promise<[Rolldown.OutputChunk]> {
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
      warn: (text) => warnings.push(text),
      warnOnce: (text) => warnings.push(text),
    },
    build: {
      write: false,
      rolldownOptions: { input: entry, ...(source !== undefined && { preserveEntrySignatures: "strict" as const }) },
    },
  });
  const { output } = result as Rolldown.RolldownOutput;
  if (output.length !== 1) throw new Error(`vite made ${output.length} files where one was expected`);
  return [output[0]];
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
