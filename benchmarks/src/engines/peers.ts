/** The peers live in a package of their own, which only `bench:speed` installs. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PEERS } from "../paths.ts";

const require = createRequire(join(PEERS, "package.json"));

/** Installs the peers exactly as their lock file says, unless that was already done. */
export function installPeers(): void {
  const installed = join(PEERS, "node_modules", ".package-lock.json");
  const lock = join(PEERS, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error("Installing the peers (onnxruntime, jax-js, TensorFlow.js) into benchmarks/peers …");
  // Under `npm run`, npm tells where it is; else it must be on the path.
  const npm = process.env["npm_execpath"];
  const [command, args] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
  execFileSync(command, [...args, "ci"], { cwd: PEERS, stdio: ["ignore", "ignore", "inherit"] });
}

/** Loads a CommonJS peer. The caller says which part of its interface it relies on. */
export function requirePeer<Module>(name: string): Module {
  return require(name) as Module;
}

/** Loads an ECMAScript module of a peer by its path inside the package. */
export async function importPeer<Module>(name: string, path: string): Promise<Module> {
  return (await import(pathToFileURL(join(peerFolder(name), path)).href)) as Module;
}

export function peerFolder(name: string): string {
  return join(PEERS, "node_modules", ...name.split("/"));
}

export function peerVersion(name: string): string {
  return JSON.parse(readFileSync(join(peerFolder(name), "package.json"), "utf8")).version;
}
