// `npm run site`: one static folder, site/dist, for any web server and any path. Installs what it needs when it is not there.
// The playground is in its folder `playground`, with the shipped model; it is made of the packages that are built (`npm run build`).
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freeOfBase } from "./base.mjs";
import { ROOT, writePages } from "./pages.mjs";

const site = fileURLToPath(new URL(".", import.meta.url));
const playground = join(ROOT, "playground");

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}

function install(folder) {
  const installed = join(folder, "node_modules/.package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, "package-lock.json")).mtimeMs)
    return;
  run("npm", ["ci", "--silent", "--ignore-scripts"], folder);
}

install(site);
install(playground);
writePages();
run("npm", ["run", "--silent", "docs"], ROOT);
run("node", ["node_modules/vitepress/bin/vitepress.js", "build", "."], site);
cpSync(join(ROOT, "docs/api"), join(site, "dist/api"), { recursive: true });
freeOfBase(join(site, "dist"));
for (const project of ["playground", "playground/src/offline"])
  run("node", ["node_modules/typescript/bin/tsc", "-p", project], ROOT);
run("node", ["node_modules/vite/bin/vite.js", "build", "playground", "--logLevel", "error"], ROOT);
cpSync(join(playground, "dist"), join(site, "dist/playground"), { recursive: true });
