import { execFileSync } from "node:child_process";

/** Runs npm in a folder; its errors go to standard error. @throws Error if it fails */
export function runNpm(folder: string, ...args: readonly string[]): void {
  // Under `npm run`, npm says where it is; otherwise it must be on the path.
  const npm = process.env["npm_execpath"];
  const [command, before] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
  execFileSync(command, [...before, ...args], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}
