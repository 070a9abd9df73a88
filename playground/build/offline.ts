/** `offline.js`: the service worker, which knows the files that the page consists of. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { transformWithOxc } from "vite";

const SOURCE = fileURLToPath(new URL("../src/offline/worker.ts", import.meta.url));

/** @param isKept which files of the page are kept */
export function offline(isKept: (fileName: string) => boolean): Plugin {
  return {
    name: "offline",
    enforce: "post",
    async generateBundle(_, bundle) {
      const hash = createHash("sha256");
      const kept = Object.values(bundle).filter(({ fileName }) => isKept(fileName));
      for (const file of kept) hash.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
      const names = kept
        .map(({ fileName }) => fileName)
        .filter((name) => name !== "index.html")
        .sort();
      const { code } = await transformWithOxc(readFileSync(SOURCE, "utf8"), SOURCE);
      const source = code
        .replaceAll("__FILES__", JSON.stringify(["index.html", ...names]))
        .replaceAll("__VERSION__", JSON.stringify(hash.digest("hex").slice(0, 16)));
      this.emitFile({ type: "asset", fileName: "offline.js", source });
    },
  };
}
