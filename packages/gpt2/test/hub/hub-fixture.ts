import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type DownloadOptions, type DownloadProgress, HubError } from "../../src/hub/index.ts";
import { HubServer, sha256 } from "./hub-server.ts";

/** Bytes without pattern, the same for the same seed. */
export function noise(length: number, seed: string): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; blocks.length * 64 < length; i++) {
    blocks.push(createHash("sha512").update(`${seed} ${i}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** A small repository with all that a model has; the weights are large enough to be cut in many places. */
export function modelFiles(seed = "one", size = 300_000): Record<string, Uint8Array | string> {
  return {
    "README.md": "# A model",
    "config.json": '{"model_type":"gpt2"}',
    "generation_config.json": "{}",
    "vocab.json": '{"a":0}',
    "merges.txt": "#version: 0.2\n",
    "model.safetensors": noise(size, seed),
  };
}

/** A fresh server and a fresh cache for every test. */
export interface HubFixture {
  readonly server: HubServer;
  readonly cacheDir: string;
  readonly events: DownloadProgress[];
  readonly options: DownloadOptions;
  /** Names in the blobs folder of a model. */
  blobs(name: string): Promise<string[]>;
}

const ENVIRONMENT = /^(?:HF_|HUGGING|XDG_CACHE_HOME)/;

export function useHub(): HubFixture {
  const state: { server?: HubServer; cacheDir: string; events: DownloadProgress[] } = { cacheDir: "", events: [] };
  const saved: Record<string, string | undefined> = {};
  beforeEach(async () => {
    state.server = await HubServer.start();
    state.cacheDir = await mkdtemp(join(tmpdir(), "gpt2-hub-"));
    state.events = [];
    for (const key of Object.keys(process.env).filter((name) => ENVIRONMENT.test(name))) {
      saved[key] = process.env[key];
      delete process.env[key];
    }
    process.env["HF_HOME"] = state.cacheDir;
  });
  afterEach(async () => {
    await state.server?.stop();
    await rm(state.cacheDir, { recursive: true, force: true });
    for (const key of Object.keys(process.env).filter((name) => ENVIRONMENT.test(name))) delete process.env[key];
    Object.assign(process.env, saved);
  });
  return {
    get server() {
      return state.server!;
    },
    get cacheDir() {
      return join(state.cacheDir, "hub");
    },
    get events() {
      return state.events;
    },
    get options() {
      return {
        endpoint: state.server!.url,
        retries: 3,
        retryDelay: 1,
        stallTimeout: 3000,
        onProgress: (event: DownloadProgress) => state.events.push(event),
      };
    },
    async blobs(name: string) {
      const folder = join(state.cacheDir, "hub", `models--${name.replace("/", "--")}`, "blobs");
      return (await readdir(folder).catch(() => [])).sort();
    },
  };
}

/** Compared instead of the bytes, whose difference nobody wants printed. */
export async function fileHash(path: string): Promise<string> {
  return sha256(await readFile(path));
}

/** @returns the HubError that the promise rejects with */
export async function hubErrorOf(promise: Promise<unknown>): Promise<HubError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome && outcome.error instanceof HubError) return outcome.error;
  throw new Error(`expected a HubError, got ${JSON.stringify(outcome)}`, { cause: outcome });
}
