// Installs what the gpu device needs and nobody else has to pay for: GPU.js and, for WebGPU in Node, the `webgpu` package
// (about 137 MB). They are optional peers of @gpt2-ts/tensor, so package.json and the lock do not name them: they go into a
// folder of their own, and node_modules links to it. `npm run setup` renews the links when it installs everything anew.
//
// GPU.js would also build `gl` (headless-gl), from source where its prebuilt binaries cannot be had: minutes, and a C++
// compiler. That is left out unless `-- --headlessgl` asks for it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const versions = { "gpu.js": "2.24.1", webgpu: "0.6.2" };
const headlessgl = process.argv.includes("--headlessgl") ? { gl: "8.1.6" } : {};
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const own = join(root, ".cache/gpu");
const wanted = Object.entries({ ...versions, ...headlessgl });

if (wanted.every(([name, version]) => versionAt(join(root, "node_modules", name)) === version)) {
  console.error("GPU.js is there.");
  process.exit(0);
}
if (!wanted.every(([name, version]) => versionAt(join(own, "node_modules", name)) === version)) install();
for (const [name] of wanted) link(name);
console.error(`GPU.js is there: ${wanted.map(([name, version]) => `${name} ${version}`).join(", ")}.`);

function install() {
  console.error(`Installing ${wanted.map(([name, version]) => `${name}@${version}`).join(" ")} …`);
  mkdirSync(own, { recursive: true });
  const manifest = {
    private: true,
    dependencies: Object.fromEntries(wanted),
    // GPU.js names webgpu 0.2.9, which none of its sources import: another 80 MB, and they do not load on Debian 12.
    overrides: { "gpu.js": { webgpu: versions.webgpu } },
  };
  writeFileSync(join(own, "package.json"), JSON.stringify(manifest, undefined, 2));
  rmSync(join(own, "package-lock.json"), { force: true });
  const args = ["install", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync("npm", args, {
    cwd: own,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (error || status !== 0) {
    console.error(`npm ${args.join(" ")} in ${relative(root, own)} failed${error ? `: ${error.message}` : ""}`);
    process.exit(1);
  }
}

/** Makes node_modules/NAME a link to the package; whatever was there goes. */
function link(name) {
  const place = join(root, "node_modules", name);
  const target = join(own, "node_modules", name);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(dirname(place), { recursive: true });
  const onWindows = process.platform === "win32";
  symlinkSync(onWindows ? target : relative(dirname(place), target), place, onWindows ? "junction" : "dir");
}

function versionAt(folder) {
  const manifest = join(folder, "package.json");
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
}
