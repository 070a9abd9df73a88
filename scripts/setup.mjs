// What `npm start` and `npm test` run first: installs the packages if they are not there or not the locked ones, and
// builds what changed. On a machine that is set up it takes about two seconds.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`gpt2-ts needs Node 20.19 or later; this is ${process.versions.node}`);
}

// npm writes this file at the end of an install, so it is missing after one that was cut off.
const installed = `${root}/node_modules/.package-lock.json`;
const locked = `${root}/package-lock.json`;
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(locked).mtimeMs) {
  console.error("Installing packages …");
  npm("ci", "--no-audit", "--no-fund", "--loglevel=error");
  // `npm run setup:gpu` was run here before; its links are gone with the old node_modules.
  if (existsSync(`${root}/.cache/gpu`)) npm("run", "--silent", "setup:gpu");
}
console.error("Building …");
npm("run", "--silent", "build");

/** Runs npm with its output on standard error, so that standard output holds the main job's alone. */
function npm(...args) {
  const { status, error } = spawnSync("npm", args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (error) fail(`npm could not be run: ${error.message}`);
  if (status !== 0) fail(`npm ${args.join(" ")} failed`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
