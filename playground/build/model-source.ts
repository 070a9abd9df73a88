/** `virtual:model-source`: the text of model.ts as pieces with colours, made when the page is built, so that it brings no highlighter along. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { colouredLines } from "./colour.ts";

const FILE = fileURLToPath(new URL("../../packages/gpt2/src/model/model.ts", import.meta.url));
const MODULE = "virtual:model-source";

export function modelSource(): Plugin {
  return {
    name: "model-source",
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    load(id) {
      if (id !== `\0${MODULE}`) return null;
      this.addWatchFile(FILE);
      const source = readFileSync(FILE, "utf8").replaceAll("\r\n", "\n");
      const hash = createHash("sha256").update(source).digest("hex");
      return `export const hash = ${JSON.stringify(hash)};\nexport const lines = ${JSON.stringify(colouredLines(source))};\n`;
    },
  };
}
