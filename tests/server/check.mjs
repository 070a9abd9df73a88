// `npm run check:server`: gpt2 serve from outside, by clients as they come from the registry. Installs them when they are not there.
//
//     npm run check:server -- [arguments for vitest]
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..", "..");
const installed = join(here, "node_modules/.package-lock.json");

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(here, "package-lock.json")).mtimeMs) {
  run("npm", ["ci", "--silent"], here);
}
run("node", ["node_modules/typescript/bin/tsc", "-p", "tests/server"], root);
run(
  "node",
  ["node_modules/vitest/vitest.mjs", "run", "--config", "tests/server/vitest.config.ts", ...process.argv.slice(2)],
  root,
);

function run(command, args, cwd) {
  const onWindows = process.platform === "win32";
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"], shell: onWindows });
  if (status !== 0) process.exit(status ?? 1);
}
