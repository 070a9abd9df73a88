import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deleteModels, listModels } from "../../src/browser-cache/index.ts";
import { keepModel } from "../../src/browser-cache/keep-model.ts";
import { conversionTo } from "../../src/checkpoint/convert/conversion.ts";
import { GPT2, type ModelFiles, type PretrainedProgress } from "../../src/index.ts";
import type { LocateOptions } from "../../src/located.ts";
import { hubErrorOf, modelFiles, noise } from "../hub/hub-fixture.ts";
import { HubServer, sha256 } from "../hub/hub-server.ts";
import { FakeStorage } from "./fake-storage.ts";

// What browsers themselves do is tested in tests/browser/cache.test.ts.

let server: HubServer;
let storage: FakeStorage;
let events: PretrainedProgress[];

beforeEach(async () => {
  server = await HubServer.start();
  storage = new FakeStorage();
  events = [];
});
afterEach(() => server.stop());

const name = "org/model";

async function keep(options: LocateOptions = {}, revision?: string) {
  const endpoint = server.url;
  const onProgress = (event: PretrainedProgress) => void events.push(event);
  const settings = { storage, policy: { retries: 2, delay: 1 } };
  const located = await keepModel(
    name,
    { endpoint, onProgress, ...options, conversion: conversionTo(options.dtype) },
    revision,
    settings,
  );
  return Object.assign(located, { files: located.where as ModelFiles });
}

const types = () => events.map(({ type }) => type);
const bytesOf = async (blob: Blob | undefined) => Buffer.from(await blob!.arrayBuffer());
/** Compared instead of the bytes, whose difference nobody wants printed. */
const hashOf = async (blob: Blob | undefined) => sha256(await bytesOf(blob));
const SIZE = 1_000_000;
const files = (seed = "one") => ({ ...modelFiles(seed), "model.safetensors": checkpoint(seed) });

/** A safetensors file with one tensor of bytes without pattern. */
function checkpoint(seed: string, size = SIZE): Uint8Array {
  const header = JSON.stringify({ x: { dtype: "U8", shape: [size], data_offsets: [0, size] } });
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([head, Buffer.from(header), noise(size, seed)]);
}

describe("a model that is kept", () => {
  it("comes once, with its bytes, and is read without the network afterwards", async () => {
    const commit = server.commit(name, files());
    using first = await keep();
    expect(await hashOf(first.files["model.safetensors"])).toBe(sha256(files()["model.safetensors"]));
    expect(await first.files["config.json"]!.text()).toBe('{"model_type":"gpt2"}');
    expect(Object.keys(first.files).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "merges.txt",
      "model.safetensors",
      "vocab.json",
    ]);
    expect(types()[0]).toBe("start");
    expect(events.at(-1)).toEqual({ type: "done", commit });
    const bytes = events.filter((event) => event.type === "bytes").at(-1)!;
    expect(bytes.overall.loaded).toBe(bytes.overall.total);

    server.requests.length = 0;
    events.length = 0;
    using again = await keep();
    expect(again.files["model.safetensors"]!.size).toBe(files()["model.safetensors"].length);
    expect(server.requests.map(({ path }) => path)).toEqual([`/api/models/${name}/revision/main`]);
    expect(types()).toEqual(["done"]);

    await server.stop();
    using offline = await keep();
    expect(await offline.files["vocab.json"]!.text()).toBe('{"a":0}');
    using asked = await keep({ offline: true });
    expect(Object.keys(asked.files)).toHaveLength(5);
  });

  it("is continued where it was cut, and verified as a whole", async () => {
    server.commit(name, files());
    const size = files()["model.safetensors"].length;
    const controller = new AbortController();
    const stopped = keep({
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === "bytes" && event.file === "model.safetensors" && event.loaded > 300_000) controller.abort();
      },
    });
    await expect(stopped).rejects.toThrow("aborted");
    const [kept] = await listModels(storage);
    expect(kept).toMatchObject({ name, dtype: "original", complete: false });
    expect(kept!.bytes).toBeGreaterThan(300_000);
    expect(storage.told).toBe(1);

    server.requests.length = 0;
    using model = await keep();
    const [transfer] = server.transfers("model.safetensors").filter((request) => request.server === "cdn");
    const [, from] = /^bytes=(\d+)-$/.exec(transfer!.headers.range ?? "") ?? [];
    expect(Number(from)).toBeGreaterThan(300_000);
    expect(events.find((event) => event.type === "resume")).toMatchObject({ loaded: Number(from), size });
    expect(await hashOf(model.files["model.safetensors"])).toBe(sha256(files()["model.safetensors"]));
  });

  it("goes on by itself when the connection breaks", async () => {
    server.commit(name, files());
    server.fault("model.safetensors", { kind: "cut", after: 200_000 }, { kind: "cut", after: 100_000 });
    using model = await keep();
    expect(await hashOf(model.files["model.safetensors"])).toBe(sha256(files()["model.safetensors"]));
    expect(types().filter((type) => type === "retry")).toHaveLength(2);
  });

  it("starts over if what an earlier visit left is damaged, and is an error if the server's bytes are", async () => {
    server.commit(name, files());
    server.fault("model.safetensors", { kind: "corrupt", at: 1000 });
    expect(await hubErrorOf(keep())).toMatchObject({ code: "checksum", file: "model.safetensors" });
    expect((await listModels(storage))[0]!.bytes).toBeLessThan(1000);

    const controller = new AbortController();
    server.fault("model.safetensors", { kind: "corrupt", at: 1000 });
    const cut = keep({
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === "bytes" && event.file === "model.safetensors" && event.loaded > 300_000) controller.abort();
      },
    });
    await expect(cut).rejects.toThrow();
    using model = await keep();
    expect(await hashOf(model.files["model.safetensors"])).toBe(sha256(files()["model.safetensors"]));
  });

  it("follows its branch to a new commit, and the old one goes", async () => {
    const old = server.commit(name, files("one"));
    (await keep())[Symbol.dispose]();
    const commit = server.commit(name, files("two"));
    using model = await keep();
    expect(await hashOf(model.files["model.safetensors"])).toBe(sha256(files("two")["model.safetensors"]));
    expect((await listModels(storage)).map((kept) => kept.commit)).toEqual([commit]);
    await server.stop();
    expect(await hubErrorOf(keep({}, old))).toMatchObject({ code: "unreachable" });
    using named = await keep({}, commit);
    expect(Object.keys(named.files)).toHaveLength(5);
  });

  it("comes in shards where it has them", async () => {
    const index = { weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } };
    const { "model.safetensors": _, ...others } = files();
    const shards = { "model-1.safetensors": checkpoint("1", 5000), "model-2.safetensors": checkpoint("2", 7000) };
    server.commit(name, { ...others, ...shards, "model.safetensors.index.json": JSON.stringify(index) });
    using model = await keep();
    for (const [file, bytes] of Object.entries(shards)) expect(await hashOf(model.files[file])).toBe(sha256(bytes));
    expect(Object.keys(model.files)).toContain("model.safetensors.index.json");
    const start = events.find((event) => event.type === "start")!;
    expect(start.files.reduce((sum, { size }) => sum + size, 0)).toBe(start.total);
  });

  it("is read without a hub's API nowhere: that is for the caller to do over HTTP", async () => {
    server.commit(name, files());
    server.hasApi = false;
    expect(await hubErrorOf(keep())).toMatchObject({ code: "no-storage", message: expect.stringContaining("list") });
  });

  it("ends in an error that says what is wrong with a name, a revision, an option", async () => {
    server.commit(name, files());
    expect(await hubErrorOf(keep({}, "v9"))).toMatchObject({ code: "revision-not-found" });
    expect(await hubErrorOf(keep({ offline: true }))).toMatchObject({ code: "offline" });
  });
});

describe("space", () => {
  it("is asked for before anything is downloaded, and the error has the numbers", async () => {
    server.commit(name, files());
    storage.quota = 600_000;
    const error = await hubErrorOf(keep());
    expect(error).toMatchObject({ code: "disk-full", available: 600_000 });
    expect(error.needed).toBeGreaterThan(SIZE);
    expect(error.message).toBe(
      "the browser lets this site keep 1 MB more, and org/model needs 2 MB; delete other models (deleteCachedModels), or load without keeping it (cache: false)",
    );
    expect(server.transfers("model.safetensors")).toEqual([]);
  });

  it("that ends while it is written is the same error, and what arrived before stays", async () => {
    server.commit(name, files());
    storage.tells = false;
    storage.quota = 600_000;
    expect(await hubErrorOf(keep())).toMatchObject({
      code: "disk-full",
      available: undefined,
      message: expect.stringMatching(/^the browser lets this site keep no more, and org\/model needs 2 MB; /),
    });
    storage.quota = 2 ** 40;
    using model = await keep();
    expect(await hashOf(model.files["model.safetensors"])).toBe(sha256(files()["model.safetensors"]));
  });

  it("that is exceeded before anything begins is the same error, without numbers", async () => {
    server.commit(name, files());
    storage.tells = false;
    storage.quota = -1;
    expect(await hubErrorOf(keep())).toMatchObject({
      code: "disk-full",
      needed: undefined,
      message: expect.stringMatching(
        /^the browser lets this site keep no more, and org\/model needs room; delete other/,
      ),
    });
    expect(server.transfers("model.safetensors")).toEqual([]);
  });

  it("that ends within one long piece is told as that, not as the pipe that breaks", async () => {
    server.commit(name, { ...modelFiles(), "model.safetensors": checkpoint("long", 2 * FakeStorage.PIPE) });
    storage.tells = false;
    storage.quota = FakeStorage.PIPE;
    const error = await hubErrorOf(keep());
    expect(error).toMatchObject({ code: "disk-full", message: expect.stringContaining("needs 5 MB") });
  });

  it("that ends with the last small file leaves no lock behind", async () => {
    server.commit(name, files());
    (await keep())[Symbol.dispose]();
    await storage.root.getDirectoryHandle("gpt2-ts").then((folder) => folder.removeEntry("refs.json"));
    storage.quota = 0;
    expect(await hubErrorOf(keep())).toMatchObject({ code: "disk-full" });
    expect(await deleteModels(storage, { name })).toHaveLength(1);
  });

  it("is listed also while files and folders come and go", async () => {
    server.commit(name, files());
    (await keep())[Symbol.dispose]();
    const [before] = await listModels(storage);
    const isGone = async () => {
      throw new DOMException("gone", "NotFoundError");
    };
    const [path] = Object.keys(storage.files()).filter((each) => each.endsWith("/model.safetensors.0"));
    let folder = storage.root;
    for (const part of path!.split("/").slice(0, -1)) folder = await folder.getDirectoryHandle(part);
    const swap = await folder.getFileHandle("model.safetensors.1.crswap", { create: true });
    Object.assign(swap, { getFile: isGone });
    expect(await listModels(storage)).toEqual([before]);
    Object.assign(folder, {
      async *values() {
        yield* [];
        await isGone();
      },
    });
    expect(await listModels(storage)).toEqual([]);
  });

  it("is given back by deleting", async () => {
    const commit = server.commit(name, files());
    const model = await keep();
    expect(await listModels(storage)).toEqual([
      { name, commit, dtype: "original", complete: true, bytes: expect.any(Number) },
    ]);
    expect(await hubErrorOf(deleteModels(storage, { name }))).toMatchObject({ code: "in-use" });
    model[Symbol.dispose]();
    const { told } = storage;
    expect(await deleteModels(storage, { name: "another" })).toEqual([]);
    expect(storage.told).toBe(told);
    await expect(deleteModels(storage, { model: name } as never)).rejects.toThrow("model");
    expect(await deleteModels(storage, { name })).toHaveLength(1);
    expect(storage.told).toBe(told + 1);
    expect(Object.keys(storage.files())).toEqual(["gpt2-ts/refs.json"]);
    expect(await listModels(storage)).toEqual([]);
    (await keep())[Symbol.dispose]();
    expect(await listModels(storage)).toHaveLength(1);
  });
});

describe("two tabs", () => {
  it("download a model once: one does, the other waits and reads", async () => {
    server.commit(name, files());
    server.throttle = { bytes: 100_000, ms: 50 };
    const [one, two] = await Promise.all([keep(), keep()]);
    for (const { files: found } of [one, two]) {
      expect(await hashOf(found["model.safetensors"])).toBe(sha256(files()["model.safetensors"]));
    }
    expect(types().filter((type) => type === "wait")).toHaveLength(1);
    expect(server.transfers("model.safetensors").filter((request) => request.server === "cdn")).toHaveLength(1);
    one[Symbol.dispose]();
    two[Symbol.dispose]();
  });

  it("stop waiting when they are told to", async () => {
    server.commit(name, files());
    server.throttle = { bytes: 100_000, ms: 50 };
    const first = keep();
    await expect.poll(types).toContain("start");
    const controller = new AbortController();
    const waiting = keep({
      signal: controller.signal,
      onProgress: ({ type }) => type === "wait" && controller.abort(new Error("enough")),
    });
    await expect(waiting).rejects.toThrow("enough");
    (await first)[Symbol.dispose]();
  });
});

describe("a dtype", () => {
  const shipped = async () => {
    const folder = fileURLToPath(new URL("../../../../weights/shakespeare/", import.meta.url));
    const read = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
    return Object.fromEntries(
      await Promise.all(read.map(async (file) => [file, await readFile(folder + file)] as const)),
    );
  };
  const logits = async (where: ModelFiles | string, dtype?: "int8" | "bf16") => {
    using model = await GPT2.load(where, { dtype, deterministic: true, threads: 1 });
    using found = model.logits("To be, or not to be");
    return await found.data();
  };

  it.each(["int8", "bf16"] as const)(
    "%s is converted once, and only that is kept, with the same bits",
    async (dtype) => {
      const original = await shipped();
      server.commit(name, original);
      const expected = await logits(fileURLToPath(new URL("../../../../weights/shakespeare", import.meta.url)), dtype);
      {
        using model = await keep({ dtype });
        expect(await logits(model.files, dtype)).toEqual(expected);
      }
      const converts = events.filter((event) => event.type === "convert");
      expect(converts.at(-1)!.done).toBe(converts.at(-1)!.total);
      const [kept, ...others] = await listModels(storage);
      expect(others).toEqual([]);
      expect(kept).toMatchObject({ dtype, complete: true });
      const share = kept!.bytes / original["model.safetensors"]!.length;
      expect(share).toBeLessThan(dtype === "int8" ? 0.31 : 0.55);

      server.requests.length = 0;
      using again = await keep({ dtype });
      expect(await logits(again.files, dtype)).toEqual(expected);
      expect(server.requests).toHaveLength(1);
    },
  );

  it("is made of what is there already, which then stays", async () => {
    server.commit(name, await shipped());
    (await keep())[Symbol.dispose]();
    await server.stop();
    (await keep({ dtype: "int8" }))[Symbol.dispose]();
    expect((await listModels(storage)).map(({ dtype }) => dtype).sort()).toEqual(["int8", "original"]);
  });

  it("whose conversion was stopped is converted by the next visit, without another download", async () => {
    server.commit(name, await shipped());
    const controller = new AbortController();
    const onProgress = ({ type }: PretrainedProgress) => type === "convert" && controller.abort();
    await expect(keep({ dtype: "int8", signal: controller.signal, onProgress })).rejects.toThrow("aborted");
    expect((await listModels(storage)).map(({ dtype, complete }) => [dtype, complete]).sort()).toEqual([
      ["int8", false],
      ["original", true],
    ]);
    server.requests.length = 0;
    (await keep({ dtype: "int8" }))[Symbol.dispose]();
    expect(server.transfers("model.safetensors")).toEqual([]);
    expect((await listModels(storage)).map(({ dtype }) => dtype)).toEqual(["int8"]);
  });

  it("that the hub's file has already is read as it is", async () => {
    server.commit(name, await shipped());
    const { files } = await keep({ dtype: "int8" });
    const converted = Object.fromEntries(
      await Promise.all(Object.entries(files).map(async ([file, blob]) => [file, await bytesOf(blob)] as const)),
    );
    server.commit("org/int8", converted);
    storage = new FakeStorage();
    const settings = { storage, policy: { retries: 2, delay: 1 } };
    for (const dtype of ["int8", undefined] as const) {
      using model = await keepModel(
        "org/int8",
        { endpoint: server.url, conversion: conversionTo(dtype) },
        undefined,
        settings,
      );
      expect(Object.keys(model.where)).toContain("model.safetensors");
    }
    expect((await listModels(storage)).map(({ dtype }) => dtype)).toEqual(["original"]);
  });
});
