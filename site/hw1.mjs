// The report of `hw1 all`, by the code and the model of this checkout: run when the site is built, and kept until one of the files changes
// that it depends on.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const KEPT = fileURLToPath(new URL(".cache/hw1", import.meta.url));

/** What decides the report. */
const SOURCES = [
  ...["safetensors", "tensor", "gpt2", "cli", "hw1"].map((name) => `packages/${name}/src`),
  "packages/hw1/data",
  "weights/stories",
  "package-lock.json",
];

/** The folder that `hw1 all` wrote. The packages have to be built. */
export function hw1Report() {
  const folder = join(KEPT, hashOf(SOURCES));
  if (existsSync(folder)) return folder;
  rmSync(KEPT, { recursive: true, force: true });
  const running = join(KEPT, "running");
  console.error("Running hw1 all for its page, which takes about a minute …");
  const { GPT2_MODEL: _, ...env } = process.env; // the shipped model
  const { status } = spawnSync(process.execPath, [join(ROOT, "packages/hw1/bin/hw1.js"), "all", "--out", running], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`hw1 all ended with status ${status}`);
  renameSync(running, folder);
  return folder;
}

function hashOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    const names = statSync(join(ROOT, path)).isDirectory()
      ? readdirSync(join(ROOT, path), { recursive: true })
          .map((name) => join(path, name))
          .filter((name) => statSync(join(ROOT, name)).isFile())
          .sort()
      : [path];
    for (const name of names) {
      const bytes = readFileSync(join(ROOT, name));
      hash.update(`${name} ${bytes.length} `).update(bytes);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

const INTRODUCTION = `This is what \`npx hw1 all\` wrote, on the shipped model, when this site was built; its times are that machine's.
The [package](../packages/hw1/index.md) says what each task does and how to run it on GPT-2; the [written problems](../docs/hw1.md)
have a page of their own.`;

/** Writes the report as a page into the folder of pages, its figures beside it, and its other files where VitePress copies them from. */
export function writeHw1Page(pages) {
  const report = hw1Report();
  const folder = join(pages, "hw1");
  mkdirSync(folder, { recursive: true });
  cpSync(join(report, "figures"), join(folder, "figures"), {
    recursive: true,
    filter: (name) => !name.endsWith(".png"),
  });
  for (const name of readdirSync(report)) {
    if (name !== "figures" && name !== "report.md") cpSync(join(report, name), join(pages, "public/hw1", name));
  }
  const text = readFileSync(join(report, "report.md"), "utf8")
    .replace(/\n<sub>PNG: .*<\/sub>\n/g, "") // the page has the SVG
    .replaceAll('"figures/', '"./figures/') // or else it would be a package's name
    .replace(/\[([^\]]+)\]\(([\w.-]+)\)/g, '<a href="$2" target="_self">$1</a>') // files, where VitePress looks for pages
    .replace(/^(# .*\n)/, `$1\n${INTRODUCTION}\n`);
  writeFileSync(join(folder, "index.md"), text);
}
