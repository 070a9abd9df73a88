import { bundleFile, bundleFileWithVite } from "./bundle.ts";
import { PageServer, type PageServerOptions } from "./page-server.ts";
import { repository } from "./paths.ts";

/** A page that runs the `page.js` beside it. */
export const html =
  '<!doctype html><meta charset="utf-8"><title>gpt2-ts</title><script type="module" src="page.js"></script>';

/** The packages as a page without a bundler finds them: an import map from names to built files. */
const importMap = {
  imports: {
    "@gpt2-ts/gpt2": "/packages/gpt2/dist/index.js",
    "@gpt2-ts/gpt2/browser-cache": "/packages/gpt2/dist/browser-cache/index.js",
    "@gpt2-ts/gpt2/draw": "/packages/gpt2/dist/draw/index.js",
    "@gpt2-ts/gpt2/look": "/packages/gpt2/dist/look/index.js",
    "@gpt2-ts/gpt2/compress": "/packages/gpt2/dist/compress/index.js",
    "@gpt2-ts/gpt2/train": "/packages/gpt2/dist/train/index.js",
    "@gpt2-ts/gpt2/worker": "/packages/gpt2/dist/worker/index.js",
    "@gpt2-ts/tensor": "/packages/tensor/dist/index.js",
    "@gpt2-ts/tensor/compile": "/packages/tensor/dist/functional/compile.js",
    "@gpt2-ts/tensor/errors": "/packages/tensor/dist/errors.js",
    "@gpt2-ts/tensor/event-loop": "/packages/tensor/dist/event-loop.js",
    "@gpt2-ts/tensor/options": "/packages/tensor/dist/options.js",
    "@gpt2-ts/tensor/math": "/packages/tensor/dist/backends/reference/math.js",
    "safetensors-ts": "/packages/safetensors/dist/index.js",
    "safetensors-ts/transport": "/packages/safetensors/dist/transport/index.js",
    "#exchange": "/packages/safetensors/dist/transport/exchange-browser.js",
    "#pretrained": "/packages/gpt2/dist/pretrained/browser.js",
  },
};
const unbundledHtml = html
  .replace("<script ", `<script type="importmap">${JSON.stringify(importMap)}</script><script `)
  .replace("page.js", "unbundled.js");

/** The test page in all its forms, by path. */
async function buildPages(): Promise<ReadonlyMap<string, string>> {
  const [page, worker, thread, unbundled, vite] = await Promise.all([
    bundleFile("page.ts"),
    bundleFile("worker.ts"),
    bundleFile("gpt2-thread.ts"), // esbuild does not look for workers
    bundleFile("page.ts", { external: ["@gpt2-ts/*", "safetensors-ts"] }),
    bundleFileWithVite("page.ts"),
  ]);
  return new Map([
    ["/page.html", html],
    ["/page.js", page],
    ["/worker.js", worker],
    ["/gpt2-thread.js", thread],
    ["/vite/index.html", html],
    ["/vite/page.js", vite.code],
    ...vite.workers,
    ["/unbundled.html", unbundledHtml],
    ["/unbundled.js", unbundled],
  ]);
}

let pages: ReturnType<typeof buildPages> | undefined;

/** Serves the test page, the Shakespeare model and its reference values. */
export async function startSite(
  isolated: boolean,
  options: Pick<PageServerOptions, "headers" | "ranges"> = {},
): Promise<PageServer> {
  pages ??= buildPages();
  return PageServer.start({
    isolated,
    ...options,
    files: await pages,
    folders: {
      "/weights": repository("weights"),
      "/reference": repository("benchmarks/reference"),
      "/finetune": repository("packages/gpt2/test/checkpoint/fixtures/finetune"),
      "/packages": repository("packages"),
    },
  });
}
