// `npm run site`: one static folder, site/dist, for any web server and any path. Installs what it needs when it is not there.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freeOfBase } from "./base.mjs";
import { ROOT, writePages } from "./pages.mjs";

const site = fileURLToPath(new URL(".", import.meta.url));
const installed = join(site, "node_modules/.package-lock.json");

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(site, "package-lock.json")).mtimeMs) {
  run("npm", ["ci", "--silent", "--ignore-scripts"], site);
}
writePages();
run("npm", ["run", "--silent", "docs"], ROOT);
run("node", ["node_modules/vitepress/bin/vitepress.js", "build", "."], site);
cpSync(join(ROOT, "docs/api"), join(site, "dist/api"), { recursive: true });
freeOfBase(join(site, "dist"));
