/** The peers are in packages of their own, which only `bench:speed`, `bench:peers` and `bench:train` install. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runNpm } from "../harness/npm.ts";
import { PEERS } from "../paths.ts";

/** llama.cpp has a package for itself: with its binaries for graphics cards it is as large as all others together. */
export const LLAMA = join(PEERS, "llama");

const require = createRequire(join(PEERS, "package.json"));

/** Installs the peers of a package exactly as its lock file says, unless that was already done. */
export function installPeers(folder = PEERS): void {
  const installed = join(folder, "node_modules", ".package-lock.json");
  const lock = join(folder, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  console.error(`Installing ${Object.keys(dependencies).join(", ")} …`);
  runNpm(folder, "ci");
}

/** Loads a CommonJS peer. The caller says which part of its interface it relies on. */
export function requirePeer<Module>(name: string): Module {
  return require(name) as Module;
}

/** Loads an ECMAScript module of a peer by its path inside the package. */
export async function importPeer<Module>(name: string, path: string, folder = PEERS): Promise<Module> {
  return (await import(pathToFileURL(join(peerFolder(name, folder), path)).href)) as Module;
}

export function peerFolder(name: string, folder = PEERS): string {
  return join(folder, "node_modules", ...name.split("/"));
}

export function peerVersion(name: string, folder = PEERS): string {
  return JSON.parse(readFileSync(join(peerFolder(name, folder), "package.json"), "utf8")).version;
}
