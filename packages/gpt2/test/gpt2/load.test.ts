import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createWasmBackend, device, OptionError } from "@gpt2-ts/tensor";
import { describe, expect, it } from "vitest";
import { ModelFormatError } from "../../src/errors.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { HubError } from "../../src/hub/error.ts";
import type { FromPretrainedOptions, LoadOptions } from "../../src/load-options.ts";
import { locatePretrained as locateInBrowser } from "../../src/pretrained/browser.ts";
import { useHub } from "../hub/hub-fixture.ts";
import { SHAKESPEARE } from "../support/models.ts";

const PARAMETERS = 957_184;

async function shakespeareFiles(): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const name of await readdir(SHAKESPEARE)) files[name] = await readFile(join(SHAKESPEARE, name));
  return files;
}

describe("GPT2.load", () => {
  it("loads a folder, a file URL, and files in memory alike", async () => {
    const files = Object.entries(await shakespeareFiles()).map(([name, bytes]) => [name, new Blob([bytes.slice()])]);
    const sources = [SHAKESPEARE, pathToFileURL(SHAKESPEARE), Object.fromEntries(files) as Record<string, Blob>];
    const texts = [];
    for (const source of sources) {
      using model = await GPT2.load(source, { device: "reference" });
      texts.push((await model.generate("To be", { maxTokens: 5, seed: 1 })).text);
    }
    expect(new Set(texts).size).toBe(1);
  });

  it("reports its progress up to the last parameter", async () => {
    const seen: number[] = [];
    using model = await GPT2.load(SHAKESPEARE, {
      onProgress: ({ loaded, total }) => {
        expect(total).toBe(PARAMETERS);
        seen.push(loaded);
      },
    });
    expect(seen).toHaveLength(52);
    expect(seen.at(-1)).toBe(PARAMETERS);
    expect(model.config).toMatchObject({ nLayer: 4, vocabSize: 1024 });
  });

  it("runs where it is told to, with its own threads on request", async () => {
    using shared = await GPT2.load(SHAKESPEARE);
    expect(shared.device).toBe(device("wasm"));
    using reference = await GPT2.load(SHAKESPEARE, { device: "reference" });
    expect(reference.device.name).toBe("reference");
    const backend = createWasmBackend({ threads: 1 });
    using given = await GPT2.load(SHAKESPEARE, { device: backend });
    expect(given.device).toBe(backend);
    using own = await GPT2.load(SHAKESPEARE, { threads: 2 });
    expect(own.device).not.toBe(shared.device);
  });

  it("gives all its memory back when it is disposed of, or when loading is aborted", async () => {
    const backend = createWasmBackend({ threads: 1 });
    const before = backend.info().usedBytes;
    const model = await GPT2.load(SHAKESPEARE, { device: backend });
    expect(backend.info().usedBytes).toBeGreaterThanOrEqual(before + 4 * PARAMETERS);
    model.dispose();
    expect(backend.info().usedBytes).toBe(before);

    const controller = new AbortController();
    const reason = new Error("enough");
    const loading = GPT2.load(SHAKESPEARE, {
      device: backend,
      signal: controller.signal,
      onProgress: ({ loaded }) => loaded > PARAMETERS / 2 && controller.abort(reason),
    });
    await expect(loading).rejects.toBe(reason);
    expect(backend.info().usedBytes).toBe(before);
    backend.dispose();
  });

  it("refuses a folder that is not there", async () => {
    await expect(GPT2.load("no/such/folder")).rejects.toThrow(ModelFormatError);
    await expect(GPT2.load("no/such/folder")).rejects.toThrow("no/such/folder: there is no such folder");
  });

  it.each([
    [{ divice: "wasm" }, "divice"],
    [{ threads: 0 }, "threads"],
    [{ device: "reference", threads: 2 }, "threads"],
    [{ device: "reference", deterministic: true }, "deterministic"],
    [{ deterministic: "yes" }, "deterministic"],
  ])("refuses %j", async (options, option) => {
    const refused = GPT2.load(SHAKESPEARE, options as LoadOptions);
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toMatchObject({ option });
  });
});

describe("GPT2.fromPretrained", () => {
  const hub = useHub();

  it("downloads a model from the hub, then loads it, and tells of both", async () => {
    hub.server.commit("org/bard", await shakespeareFiles());
    const events = new Set<string>();
    const options: FromPretrainedOptions = {
      endpoint: hub.server.url,
      cacheDir: hub.cacheDir,
      device: "reference",
      onProgress: ({ type }) => events.add(type),
    };
    using model = await GPT2.fromPretrained("org/bard", options);
    expect((await model.generate("To be", { maxTokens: 3, greedy: true })).ids).toHaveLength(3);
    for (const type of ["start", "bytes", "done", "load"]) expect(events).toContain(type);
    await hub.server.stop();
    using again = await GPT2.fromPretrained("org/bard", { ...options, offline: true });
    expect(again.config).toEqual(model.config);
  });

  it("reads a model in a page straight from the hub, by range requests, where nothing can be kept or shall be", async () => {
    hub.server.commit("org/bard", await shakespeareFiles());
    const warnings: string[] = [];
    const onWarning = (warning: string) => void warnings.push(warning);
    const { where } = await locateInBrowser("org/bard", { endpoint: hub.server.url, onWarning });
    expect(String(where)).toBe(`${hub.server.url}/org/bard/resolve/main/`);
    const { host } = new URL(hub.server.url);
    expect(warnings).toEqual([`org/bard is read from ${host} and not kept: there is no storage here`]);
    expect(await locateInBrowser("org/bard", { endpoint: hub.server.url, cache: false })).toMatchObject({ where });
    using model = await GPT2.load(where, { device: "reference" });
    expect((await model.generate("To be", { maxTokens: 3, greedy: true })).ids).toHaveLength(3);
    await expect(locateInBrowser("org/bard", { cacheDir: "x" })).rejects.toThrow("cacheDir: is for Node only");
  });

  it("says what cannot be had", async () => {
    const refused = GPT2.fromPretrained("org/nothing", { endpoint: hub.server.url, cacheDir: hub.cacheDir });
    await expect(refused).rejects.toThrow(HubError);
    await expect(locateInBrowser("a/b", { cache: false, offline: true })).rejects.toThrow("offline: needs the cache");
    await expect(locateInBrowser("a/b", { dtype: "int7" as never })).rejects.toThrow("dtype: ");
    await expect(locateInBrowser("a/b", { offline: true })).rejects.toThrow(HubError);
    await expect(GPT2.fromPretrained("a/b", { cache: false })).rejects.toThrow("cache: is for pages");
    await expect(GPT2.fromPretrained("a/b", { cache: 1 as never })).rejects.toThrow("cache: expected true or false");
    await expect(GPT2.fromPretrained("a/b", { revison: "x" } as FromPretrainedOptions)).rejects.toThrow(OptionError);
  });
});
