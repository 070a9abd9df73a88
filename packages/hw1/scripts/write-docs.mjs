// Writes docs/hw1.md from the modules of the written problems. Run `npm run build` first.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { writtenProblems } from "../dist/written/index.js";
import { renderPage, sectionsOf } from "../dist/written/render.js";

const SEED = 20190929;
const folder = new URL("../src/written/", import.meta.url);
const sources = new Map(readdirSync(folder).map((file) => [file, readFileSync(new URL(file, folder), "utf8")]));
writeFileSync(new URL("../../../docs/hw1.md", import.meta.url), renderPage(sectionsOf(writtenProblems, sources), SEED));
