import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { modelSource } from "./build/model-source.ts";
import { offline } from "./build/offline.ts";
import shipped from "./shipped.json" with { type: "json" };

const WEIGHTS = join(import.meta.dirname, "../weights");
/** Of a model's folder, what a page needs. */
const MODEL_FILE = /\.(json|txt|safetensors)$/;

/** The shipped models' files, beside the page in `models/`. */
function shippedModels(): Plugin {
  const files = shipped.flatMap(({ folder }) =>
    readdirSync(join(WEIGHTS, folder))
      .filter((name) => MODEL_FILE.test(name) && name !== "package.json")
      .map((name) => `${folder}/${name}`),
  );
  return {
    name: "shipped-models",
    configureServer(server) {
      server.middlewares.use("/models", (request, response, next) => {
        const name = (request.url ?? "").replace(/^\//, "").replace(/\?.*$/, "");
        if (!files.includes(name) || !existsSync(join(WEIGHTS, name))) return next();
        createReadStream(join(WEIGHTS, name)).pipe(response);
      });
    },
    generateBundle() {
      for (const name of files) {
        this.emitFile({ type: "asset", fileName: `models/${name}`, source: readFileSync(join(WEIGHTS, name)) });
      }
    },
  };
}

/** Other models than the first are not kept: a visit does not need them. */
const isKept = (name: string) => !name.startsWith("models/") || name.startsWith(`models/${shipped[0]!.folder}/`);

/** With these the page is isolated, and the model has threads. */
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [shippedModels(), modelSource(), offline(isKept)],
  worker: { format: "es" },
  server: { headers },
  preview: { headers },
  build: { target: "es2022", chunkSizeWarningLimit: 1024, modulePreload: { polyfill: false } },
});
