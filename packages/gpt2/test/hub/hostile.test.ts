import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open, openSharded, SafetensorsError } from "safetensors-ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { ModelFormatError } from "../../src/errors.ts";
import { downloadModel, HubError } from "../../src/hub/index.ts";
import { type Hostility, hostilities, startHostileServer } from "./hostile-server.ts";

/** No case takes more: requests, and bytes of memory above what there was before. */
const FEW = 40;
const LITTLE = 256 * 2 ** 20;
const STALL = 300;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpt2-hostile-"));
  vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", String(STALL / 1000));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Those who read from servers, and what they throw. */
const readers: Readonly<
  Record<string, { read: (url: string) => Promise<unknown>; error: new (...args: never[]) => Error }>
> = {
  "a download from the hub": {
    read: (endpoint) =>
      downloadModel("org/name", { endpoint, cacheDir: folder, token: false, retries: 2, retryDelay: 1 }),
    error: HubError,
  },
  "a checkpoint at a URL": {
    read: async (url) => {
      await using file = await open(`${url}/model/model.safetensors`, { stallTimeout: STALL, retryDelay: 1 });
      await file.prefetch(["a"]);
      return await file.read("a");
    },
    error: SafetensorsError,
  },
  "an index at a URL": {
    read: async (url) => openSharded(`${url}/model/config.json`, { stallTimeout: STALL, retryDelay: 1 }),
    error: SafetensorsError,
  },
  "a text at a URL": {
    read: async (url) => {
      const source = await modelSource(`${url}/model`);
      const text = await source.text("vocab.json");
      if (text === undefined)
        throw new ModelFormatError(source.path("vocab.json"), source.absence?.("vocab.json") ?? "");
      return text;
    },
    error: ModelFormatError,
  },
};

/** What does not concern a reader, who then gets what there is. */
const harmless: Readonly<Record<string, RegExp>> = {
  "a download from the hub": /^another version/,
  "a checkpoint at a URL": /^(pages|files|a listing|a next page|sizes|hashes|file names)/,
  "an index at a URL": /^$/,
  "a text at a URL":
    /^(pages|files|a listing|a next page|sizes|hashes|file names|another version|ranges ignored|a shorter body|a compression|status 299)/,
};

describe.each(Object.entries(readers))("%s", (name, { read, error: Kind }) => {
  it("of a server without malice is read", async () => {
    const server = await startHostileServer("none");
    // (config.json is no index, and that is an error of the same kind.)
    const outcome = await read(server.url).then(
      () => "read",
      (error: unknown) => error,
    );
    if (name.includes("index")) expect(outcome).toMatchObject({ code: "invalid-index" });
    else expect(outcome).toBe("read");
    await server.stop();
  });

  it.each(Object.keys(hostilities) as Hostility[])("ends soon with an error of ours: %s", async (hostility) => {
    const server = await startHostileServer(hostility);
    const before = memory();
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, memory() - before);
    }, 20);
    try {
      const outcome = await read(server.url).then(
        () => "read",
        (error: unknown) => error,
      );
      if (outcome !== "read" || !harmless[name]!.test(hostility)) {
        expect(outcome).toBeInstanceOf(Kind);
        expect((outcome as Error).message).toMatch(/127\.0\.0\.1|invalid|org\/name|\w+\.(json|safetensors)/);
        expect((outcome as Error).message.length).toBeLessThan(600);
      }
      expect(server.paths.length).toBeLessThan(hostility.includes("without end") ? 300 : FEW);
      expect(most).toBeLessThan(LITTLE);
      await expect.poll(() => server.connections()).toBeLessThan(FEW);
    } finally {
      clearInterval(timer);
      await server.stop();
    }
    // Nothing outside the cache, and nothing in it that passes for a model.
    expect((await readdir(folder)).filter((entry) => !entry.startsWith("models--"))).toEqual([]);
  });
});

function memory(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
