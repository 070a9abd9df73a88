import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { downloadModel, findCachedModel } from "../../src/hub/index.ts";
import { canBeUnprivileged, unprivileged } from "../support/unprivileged.ts";
import { fileHash, hubErrorOf, modelFiles, noise, useHub } from "./hub-fixture.ts";
import { type Fault, HubServer, sha256 } from "./hub-server.ts";

const hub = useHub();
const WEIGHTS = "model.safetensors";
const attempt = (name = "org/name", more = {}) => hubErrorOf(downloadModel(name, { ...hub.options, ...more }));

describe("a file that is not what the repository promised", () => {
  it("with one wrong bit is a checksum error, and nothing of it stays in the cache", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "corrupt", at: 200_000 });
    const error = await attempt();
    expect(error).toMatchObject({ code: "checksum", file: WEIGHTS });
    expect(error.message).toContain(sha256(noise(300_000, "one")));
    expect((await hub.blobs("org/name")).filter((name) => name.length !== 40)).toEqual([]);
    expect(await findCachedModel("org/name")).toBeUndefined();

    const { folder } = await downloadModel("org/name", hub.options);
    expect(await fileHash(join(folder, WEIGHTS))).toBe(sha256(noise(300_000, "one")));
  });

  it("is noticed in a small file too, by the hash of its Git blob", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault("config.json", { kind: "corrupt", at: 3 });
    expect(await attempt()).toMatchObject({ code: "checksum", file: "config.json" });
    expect(await hub.blobs("org/name")).toEqual([]);
  });

  it("is refused as soon as it is longer than announced", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "too-long", extra: 1 });
    expect(await attempt()).toMatchObject({ code: "size", file: WEIGHTS });
    expect((await hub.blobs("org/name")).filter((name) => name.length !== 40)).toEqual([]);
  });

  it("arrives after all when Content-Length promised more than came, and the next answer is sound", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "lying-length", extra: 1000 });
    const { folder } = await downloadModel("org/name", hub.options);
    expect(await fileHash(join(folder, WEIGHTS))).toBe(sha256(noise(300_000, "one")));
  });

  it("is not fetched when its announced size exceeds the disk", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.announcedSizes.set(WEIGHTS, 2 ** 52);
    expect(await attempt()).toMatchObject({ code: "disk-full", file: WEIGHTS });
    expect(hub.server.transfers(WEIGHTS)).toEqual([]);
  });

  it.each([-1, 0.5, Number.NaN])("with an announced size of %s counts as absent", async (size) => {
    hub.server.commit("org/name", modelFiles());
    hub.server.announcedSizes.set(WEIGHTS, size);
    expect((await attempt()).code).toBe("no-safetensors");
  });
});

describe("what the hub refuses", () => {
  it("an unknown model is told from an unknown revision and an unknown file", async () => {
    hub.server.commit("org/name", modelFiles());
    expect(await attempt("org/absent")).toMatchObject({ code: "repo-not-found", status: 401 });
    expect(await attempt("org/name", { revision: "absent" })).toMatchObject({
      code: "revision-not-found",
      status: 404,
    });
    expect(await attempt("org/name", { files: ["absent.txt"] })).toMatchObject({
      code: "file-not-found",
      file: "absent.txt",
    });
    expect(await readdir(process.env["HF_HOME"]!)).toEqual([]);
  });

  it("the same without an API", async () => {
    hub.server.hasApi = false;
    hub.server.commit("org/name", modelFiles());
    expect(await attempt("org/absent")).toMatchObject({ code: "repo-not-found" });
    expect(await attempt("org/name", { revision: "absent" })).toMatchObject({ code: "revision-not-found" });
    expect(await attempt("org/name", { files: ["absent.txt"] })).toMatchObject({ code: "file-not-found" });
  });

  it("a missing token and a wrong one are errors that tell what to do, and never show the token", async () => {
    hub.server.token = "hf_secret";
    hub.server.commit("org/name", modelFiles());
    const missing = await attempt();
    expect(missing).toMatchObject({ code: "unauthorized", status: 401 });
    expect(missing.message).toContain("set HF_TOKEN");
    const wrong = await attempt("org/name", { token: "hf_wrong" });
    expect(wrong.message).toContain("check that the token in HF_TOKEN is valid");
    expect(wrong.message).not.toContain("hf_wrong");
    const malformed = await attempt("org/name", { token: "hf wrong\nhf" });
    expect(malformed.code).toBe("invalid-option");
    expect(malformed.message).not.toContain("hf wrong");
    expect(await readdir(process.env["HF_HOME"]!)).toEqual([]);
  });

  it("a gated model says where to ask for access", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault("config.json", { kind: "status", status: 403, headers: { "x-error-code": "GatedRepo" } });
    const error = await attempt();
    expect(error).toMatchObject({ code: "gated", status: 403, file: "config.json" });
    expect(error.message).toMatch(/ask for access .* HF_TOKEN/);
  });
});

describe("a server in trouble", () => {
  it.each([500, 502, 503, 504, 408])("answers %i for a moment: the download goes on", async (status) => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault("/api", { kind: "status", status });
    hub.server.fault(WEIGHTS, { kind: "status", status }, { kind: "status", status });
    const { folder } = await downloadModel("org/name", hub.options);
    expect(await fileHash(join(folder, WEIGHTS))).toBe(sha256(noise(300_000, "one")));
  });

  it("answers 503 for good: an error after the retries", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, ...Array.from({ length: 9 }, (): Fault => ({ kind: "status", status: 503 })));
    expect(await attempt()).toMatchObject({ code: "server-error", status: 503, file: WEIGHTS });
    expect(hub.server.transfers(WEIGHTS).filter(({ server }) => server === "cdn")).toHaveLength(4);
  });

  it("asks to wait: Retry-After is kept, unless it is longer than anyone would wait", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "status", status: 429, headers: { "retry-after": "1" } });
    const before = Date.now();
    await downloadModel("org/name", hub.options);
    expect(Date.now() - before).toBeGreaterThanOrEqual(1000);
    hub.server.fault("/api", { kind: "status", status: 429, headers: { "retry-after": "3600" } });
    expect(await attempt("org/absent")).toMatchObject({ code: "rate-limited", retryAfter: 3600 });
  });

  it("stalls before the headers or in the middle: the connection is given up and the file continued", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "stall", after: 80_000 });
    const { folder } = await downloadModel("org/name", { ...hub.options, stallTimeout: 300 });
    expect(await fileHash(join(folder, WEIGHTS))).toBe(sha256(noise(300_000, "one")));
    expect(hub.server.transfers(WEIGHTS).at(-1)?.headers.range).toBe("bytes=80000-");

    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    try {
      await new Promise((resolve) => silent.once("listening", resolve));
      const address = silent.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const more = { endpoint: `http://127.0.0.1:${port}`, stallTimeout: 100, retries: 1 };
      const error = await attempt("org/absent", more);
      expect(error.code).toBe("stalled");
      expect(error.message).toContain("0.1 s");
    } finally {
      silent.close();
    }
  });

  it("is not there: an error at once that names the host", async () => {
    const gone = await HubServer.start();
    await gone.stop();
    const refused = await attempt("org/name", { endpoint: gone.url, retryDelay: 60_000 });
    expect(refused.code).toBe("unreachable");
    expect(refused.message).toMatch(/127\.0\.0\.1:\d+ \(ECONNREFUSED\).*HF_ENDPOINT/);
    const blocked = await attempt("org/name", { endpoint: "http://127.0.0.1:1", retryDelay: 60_000 });
    expect(blocked.message).toContain("bad port");
    const unknown = await attempt("org/name", {
      endpoint: "http://hub.invalid",
      retryDelay: 60_000,
      fetch: () =>
        Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ENOTFOUND" }) })),
    });
    expect(unknown).toMatchObject({ code: "unreachable" });
    expect(unknown.message).toContain("cannot find the host hub.invalid");
  });

  it("answers what no hub answers", async () => {
    const page = async () => new Response("<html>Log in to the wireless network</html>", { status: 200 });
    expect(await attempt("org/name", { fetch: page })).toMatchObject({ code: "protocol" });
    const empty = async () => Response.json({});
    expect(await attempt("org/name", { fetch: empty })).toMatchObject({ code: "protocol" });
    const circle = async (url: unknown) => new Response(null, { status: 302, headers: { location: String(url) } });
    expect((await attempt("org/name", { fetch: circle })).message).toContain("redirects more than 8 times");
    const away = async () => new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } });
    expect((await attempt("org/name", { fetch: away })).message).toContain("not a web address");
  });
});

describe("a repository that lacks something", () => {
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(modelFiles()).filter(([name]) => !names.includes(name)));

  it("config, tokenizer or weights: the error names it before anything is fetched", async () => {
    hub.server.commit("org/no-config", without("config.json"));
    expect((await attempt("org/no-config")).code).toBe("no-config");
    hub.server.commit("org/no-merges", without("merges.txt"));
    expect((await attempt("org/no-merges")).message).toContain(
      "org/no-merges has neither tokenizer.json nor merges.txt",
    );
    hub.server.commit("org/no-weights", without(WEIGHTS));
    expect((await attempt("org/no-weights")).code).toBe("no-safetensors");
    expect(await readdir(process.env["HF_HOME"]!)).toEqual([]);
  });

  it("weights in another format only are an error that says what to do", async () => {
    hub.server.commit("org/pickle", { ...without(WEIGHTS), "pytorch_model.bin": "x" });
    expect((await attempt("org/pickle")).message).toContain(
      "its weights are in PyTorch's format: gpt2 convert --model org/pickle --out FOLDER downloads and converts them",
    );
    hub.server.commit("org/keras", { ...without(WEIGHTS), "tf_model.h5": "x" });
    expect((await attempt("org/keras")).message).toContain("such as refs/pr/1");
    hub.server.hasApi = false;
    expect((await attempt("org/pickle")).message).toContain("gpt2 convert --model org/pickle");
  });

  it("a shard that the index names is an error that names the shard", async () => {
    const index = JSON.stringify({ weight_map: { a: "model-1.safetensors" } });
    hub.server.commit("org/name", { ...without(WEIGHTS), "model.safetensors.index.json": index });
    expect(await attempt()).toMatchObject({ code: "file-not-found", file: "model-1.safetensors" });
  });

  it.each([
    ["not JSON", "protocol"],
    ["null", "protocol"],
    ['{"weight_map":[]}', "protocol"],
    ['{"weight_map":{}}', "protocol"],
    ['{"weight_map":{"a":1}}', "protocol"],
    ['{"weight_map":{"a":"config.json"}}', "protocol"],
    ['{"weight_map":{"a":"../../../outside.safetensors"}}', "invalid-name"],
    ['{"weight_map":{"a":"/etc/outside.safetensors"}}', "invalid-name"],
    ['{"weight_map":{"a":"C:\\\\outside.safetensors"}}', "invalid-name"],
  ])("the index %s is refused (%s)", async (index, code) => {
    hub.server.commit("org/name", { ...without(WEIGHTS), "model.safetensors.index.json": index });
    expect((await attempt()).code).toBe(code);
  });
});

describe("the local disk", () => {
  it("that cannot be written is an error that names the place", async () => {
    hub.server.commit("org/name", modelFiles());
    const file = join(process.env["HF_HOME"]!, "a-file");
    await writeFile(file, "");
    const error = await attempt("org/name", { cacheDir: join(file, "cache") });
    expect(error.code).toBe("not-writable");
    expect(error.message).toContain(file);
    expect(error.message).toContain("HF_HUB_CACHE");
  });

  it.skipIf(!canBeUnprivileged)("that may not be written is one too, and names the folder", async () => {
    hub.server.commit("org/name", modelFiles());
    await chmod(process.env["HF_HOME"]!, 0o755);
    const folder = join(process.env["HF_HOME"]!, "read-only");
    await mkdir(folder);
    await chmod(folder, 0o555);
    const error = await unprivileged(() => attempt("org/name", { cacheDir: folder }));
    expect(error.code).toBe("not-writable");
    expect(error.message).toContain(folder);
    expect(error.message).toContain("(EACCES)");
  });
});
