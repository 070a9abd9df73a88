/** What `GPT2` weighs on a page: bundled by esbuild's defaults, minified, without what is loaded later. */
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { chunksLoadedWith } from "./chunks.ts";

export interface BundleSize {
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** @param root of a built checkout */
export async function bundleSize(root: string): Promise<BundleSize> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: 'export { GPT2 } from "@gpt2-ts/gpt2"', resolveDir: root },
    absWorkingDir: root,
    outdir: "out",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const names = Object.keys(metafile.outputs);
  const loaded = loadedAtOnce(metafile.outputs).map((name) => outputFiles[names.indexOf(name)]!.contents);
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  return {
    bytes: sum(loaded.map(({ length }) => length)),
    gzipBytes: sum(loaded.map((contents) => gzipSync(contents, { level: 9 }).length)),
  };
}

/** The entry and what it imports, directly or not; what `import()` asks for comes later. */
export function loadedAtOnce(outputs: Metafile["outputs"]): string[] {
  const [entry] = Object.keys(outputs).filter((name) => outputs[name]?.entryPoint === "<stdin>");
  return chunksLoadedWith(entry!, (name) =>
    outputs[name]?.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path),
  );
}
