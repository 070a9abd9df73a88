import { mkdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { downloadModel, findCachedModel } from "../../src/hub/index.ts";
import { fileHash, hubErrorOf, modelFiles, noise, useHub } from "./hub-fixture.ts";
import { gitSha1, sha256 } from "./hub-server.ts";

const hub = useHub();
const SHIPPED = new URL("../../../../weights/shakespeare/", import.meta.url);

describe("downloading a model", () => {
  it("fetches what the loader needs, byte for byte, and nothing else", async () => {
    const names = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
    const files: Record<string, Uint8Array> = {};
    for (const name of [...names, "README.md"]) files[name] = await readFile(new URL(name, SHIPPED));
    const commit = hub.server.commit("gpt2-ts/shakespeare", files);

    const model = await downloadModel("gpt2-ts/shakespeare", hub.options);

    expect(model.commit).toBe(commit);
    expect(model.fallback).toBeUndefined();
    expect(model.files.map(({ file, downloaded }) => [file, downloaded])).toEqual(names.map((name) => [name, true]));
    for (const name of names) expect(await fileHash(join(model.folder, name))).toBe(sha256(files[name]!));
    await expect(stat(join(model.folder, "README.md"))).rejects.toThrow("ENOENT");
  });

  it("lays the cache out as huggingface_hub does: blobs by ETag, relative links, the branch in refs", async () => {
    const files = modelFiles();
    const commit = hub.server.commit("org/name", files);
    const { folder } = await downloadModel("org/name", hub.options);

    const root = join(hub.cacheDir, "models--org--name");
    expect(folder).toBe(join(root, "snapshots", commit));
    expect(await readFile(join(root, "refs", "main"), "utf8")).toBe(commit);
    const weights = Buffer.from(files["model.safetensors"]!);
    const config = Buffer.from(files["config.json"]!);
    expect(await readlink(join(folder, "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
    expect(await readlink(join(folder, "config.json"))).toBe(`../../blobs/${gitSha1(config)}`);
    expect(await hub.blobs("org/name")).toHaveLength(5);
  });

  it("sends the token to the hub and never to the CDN that it redirects to", async () => {
    hub.server.token = "hf_secret";
    hub.server.commit("org/name", modelFiles());
    await downloadModel("org/name", { ...hub.options, token: "hf_secret" });
    const authorization = (server: string) =>
      hub.server.requests.filter((request) => request.server === server).map(({ headers }) => headers.authorization);
    expect(new Set(authorization("hub"))).toEqual(new Set(["Bearer hf_secret"]));
    expect(authorization("cdn")).toEqual([undefined]);
  });

  it("takes the token from HF_TOKEN, and from the token file in HF_HOME", async () => {
    hub.server.token = "hf_secret";
    hub.server.commit("org/name", modelFiles());
    await writeFile(join(process.env["HF_HOME"]!, "token"), "hf_secret\n");
    await downloadModel("org/name", { ...hub.options, files: ["config.json"] });
    process.env["HF_TOKEN"] = "hf_other";
    expect((await hubErrorOf(downloadModel("org/name", hub.options))).code).toBe("unauthorized");
    process.env["HF_TOKEN"] = "hf_secret";
    await downloadModel("org/name", hub.options);
  });

  it.each([
    ["HF_TOKEN is empty", { HF_TOKEN: "" }, "token"],
    ["HF_TOKEN is blank", { HF_TOKEN: " \n" }, "token"],
    ["both variables are empty", { HF_TOKEN: "", HUGGING_FACE_HUB_TOKEN: "" }, "token"],
    ["the file is elsewhere", { HF_TOKEN: "", HF_TOKEN_PATH: "elsewhere" }, "elsewhere"],
    ["only the old variable is set", { HF_TOKEN: "", HUGGING_FACE_HUB_TOKEN: " hf_secret\n" }, undefined],
  ])("finds the token where huggingface_hub does: %s", async (_, env, file) => {
    hub.server.token = "hf_secret";
    hub.server.commit("org/name", modelFiles());
    const home = process.env["HF_HOME"]!;
    Object.assign(process.env, env);
    if (process.env["HF_TOKEN_PATH"]) process.env["HF_TOKEN_PATH"] = join(home, "elsewhere");
    await writeFile(join(home, "token"), file === "token" ? "hf_secret\n" : "hf_other");
    if (file === "elsewhere") await writeFile(join(home, file), "hf_secret\r\n");
    await downloadModel("org/name", { ...hub.options, files: ["config.json"] });
  });

  it("takes the address from HF_ENDPOINT and the folder from HF_HUB_CACHE", async () => {
    hub.server.commit("org/name", modelFiles());
    process.env["HF_ENDPOINT"] = `${hub.server.url}/`;
    process.env["HF_HUB_CACHE"] = join(process.env["HF_HOME"]!, "elsewhere");
    const { endpoint: _, ...options } = hub.options;
    const { folder } = await downloadModel("org/name", options);
    expect(folder.startsWith(join(process.env["HF_HOME"]!, "elsewhere", "models--org--name"))).toBe(true);
  });

  it("fetches a sharded checkpoint by its index", async () => {
    const { "model.safetensors": _, ...rest } = modelFiles();
    const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    const index = { metadata: {}, weight_map: { a: shards[0], b: shards[1], c: shards[0] } };
    hub.server.commit("org/sharded", {
      ...rest,
      "model.safetensors.index.json": JSON.stringify(index),
      [shards[0]!]: noise(50_000, "first"),
      [shards[1]!]: noise(60_000, "second"),
    });
    const { folder, files } = await downloadModel("org/sharded", hub.options);
    const names = files.map(({ file }) => file);
    expect(names).toEqual(expect.arrayContaining([...shards, "model.safetensors.index.json"]));
    expect(new Set(names).size).toBe(7);
    expect(await fileHash(join(folder, shards[1]!))).toBe(sha256(noise(60_000, "second")));
    const start = hub.events.find(({ type }) => type === "start");
    expect(start).toMatchObject({ total: files.reduce((sum, { size }) => sum + size, 0) });
    expect((await findCachedModel("org/sharded"))?.folder).toBe(folder);
  });

  it("fetches exactly the files it is asked for", async () => {
    hub.server.commit("org/name", modelFiles());
    const { files } = await downloadModel("org/name", { ...hub.options, files: ["README.md"] });
    expect(files.map(({ file }) => file)).toEqual(["README.md"]);
    expect(await findCachedModel("org/name")).toBeUndefined();
  });

  it("fetches every file that says what the tokenizer is, and what generation starts from; one of both forms will do", async () => {
    const { "vocab.json": _, "merges.txt": __, ...rest } = modelFiles();
    const more = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
    hub.server.commit("org/fast", { ...rest, ...Object.fromEntries(more.map((name) => [name, `{"${name}":1}`])) });
    const { files, folder } = await downloadModel("org/fast", hub.options);
    expect(new Set(files.map(({ file }) => file))).toEqual(
      new Set([...more, "config.json", "generation_config.json", "model.safetensors"]),
    );
    expect((await findCachedModel("org/fast"))?.folder).toBe(folder);
    const tokenizer = await downloadModel("org/fast", { ...hub.options, weights: "none", revision: "main" });
    expect(tokenizer.files.map(({ file }) => file)).not.toContain("model.safetensors");
  });

  it("fetches PyTorch's weights when asked for them, in one file or in shards", async () => {
    const { "model.safetensors": weights, ...rest } = modelFiles();
    const index = JSON.stringify({ weight_map: { a: "pytorch_model-1.bin", b: "pytorch_model-2.bin" } });
    hub.server.commit("org/old", { ...rest, "pytorch_model.bin": weights! });
    hub.server.commit("org/large", {
      ...rest,
      "pytorch_model.bin.index.json": index,
      "pytorch_model-1.bin": noise(5000, "1"),
      "pytorch_model-2.bin": noise(6000, "2"),
    });
    const names = async (name: string) =>
      (await downloadModel(name, { ...hub.options, weights: "pytorch" })).files.map(({ file }) => file);
    expect(await names("org/old")).toContain("pytorch_model.bin");
    expect(await names("org/large")).toEqual(
      expect.arrayContaining(["pytorch_model.bin.index.json", "pytorch_model-1.bin", "pytorch_model-2.bin"]),
    );
    hub.server.requests.length = 0;
    expect(await downloadModel("org/large", { ...hub.options, weights: "pytorch", offline: true })).toMatchObject({});
    expect(hub.server.requests).toEqual([]);
    const error = await hubErrorOf(downloadModel("org/large", { ...hub.options, offline: true }));
    expect(error.code).toBe("offline");
  });

  it("takes a revision behind the name", async () => {
    const commit = hub.server.commit("org/name", modelFiles("two"), "v2");
    hub.server.commit("org/name", modelFiles("one"));
    const { commit: found } = await downloadModel("org/name@v2", hub.options);
    expect(found).toBe(commit);
    expect((await downloadModel("org/name@v2", { ...hub.options, revision: "v2" })).commit).toBe(commit);
    expect((await findCachedModel("org/name@v2"))?.commit).toBe(commit);
    const error = await hubErrorOf(downloadModel("org/name@v2", { ...hub.options, revision: "main" }));
    expect([error.code, error.message]).toEqual(["invalid-option", '"org/name@v2" names another revision than "main"']);
    expect((await hubErrorOf(downloadModel("org/name@", hub.options))).code).toBe("invalid-name");
  });

  it("reports progress that grows to the total, then done", async () => {
    hub.server.commit("org/name", modelFiles());
    const { folder } = await downloadModel("org/name", hub.options);
    const overall = hub.events.flatMap((event) => (event.type === "bytes" ? [event.overall] : []));
    expect(overall.length).toBeGreaterThan(5);
    expect(overall.map(({ loaded }) => loaded)).toEqual(overall.map(({ loaded }) => loaded).sort((a, b) => a - b));
    const start = hub.events.find((event) => event.type === "start");
    expect(overall.at(-1)).toEqual({ loaded: start?.total, total: start?.total });
    expect(hub.events.at(-1)).toMatchObject({ type: "done", folder });
  });

  it.each([true, false])("follows a model that was renamed, token and all (API: %s)", async (hasApi) => {
    hub.server.hasApi = hasApi;
    hub.server.token = "hf_secret";
    const commit = hub.server.commit("openai-community/gpt2", modelFiles());
    hub.server.renamed.set("gpt2", "openai-community/gpt2");
    const { folder } = await downloadModel("gpt2", { ...hub.options, token: "hf_secret" });
    expect(folder).toBe(join(hub.cacheDir, "models--gpt2", "snapshots", commit));
    expect(await fileHash(join(folder, "model.safetensors"))).toBe(sha256(noise(300_000, "one")));
  });

  it("works with a plain mirror that serves files but no API", async () => {
    hub.server.hasApi = false;
    const commit = hub.server.commit("org/name", modelFiles());
    const model = await downloadModel("org/name", hub.options);
    expect(model.commit).toBe(commit);
    expect(await fileHash(join(model.folder, "model.safetensors"))).toBe(sha256(noise(300_000, "one")));
    expect(model.files).toHaveLength(5);
  });
});

describe("a model in the cache", () => {
  it("is not fetched again: one question for the branch, none for a commit", async () => {
    const commit = hub.server.commit("org/name", modelFiles());
    const first = await downloadModel("org/name", hub.options);
    hub.server.requests.length = 0;

    const again = await downloadModel("org/name", hub.options);
    expect(again.folder).toBe(first.folder);
    expect(again.files.every(({ downloaded }) => !downloaded)).toBe(true);
    expect(hub.server.requests.every(({ path }) => path.startsWith("/api/"))).toBe(true);

    hub.server.requests.length = 0;
    expect((await downloadModel("org/name", { ...hub.options, revision: commit })).folder).toBe(first.folder);
    expect((await downloadModel("org/name", { ...hub.options, preferCached: true })).folder).toBe(first.folder);
    expect(hub.server.requests).toEqual([]);
  });

  it("serves a new commit's unchanged files; only the changed one is fetched", async () => {
    hub.server.commit("org/name", modelFiles("one"));
    await downloadModel("org/name", hub.options);
    const commit = hub.server.commit("org/name", { ...modelFiles("one"), "config.json": '{"n_layer":2}' });
    const model = await downloadModel("org/name", hub.options);
    expect(model.commit).toBe(commit);
    expect(model.files.filter(({ downloaded }) => downloaded).map(({ file }) => file)).toEqual(["config.json"]);
    expect(await readFile(join(model.folder, "config.json"), "utf8")).toBe('{"n_layer":2}');
  });

  it("is used offline, by option and by HF_HUB_OFFLINE, without a request", async () => {
    hub.server.commit("org/name", modelFiles());
    const { folder } = await downloadModel("org/name", hub.options);
    hub.server.requests.length = 0;
    expect((await downloadModel("org/name", { ...hub.options, offline: true })).folder).toBe(folder);
    process.env["HF_HUB_OFFLINE"] = "1";
    expect((await downloadModel("org/name", hub.options)).folder).toBe(folder);
    const error = await hubErrorOf(downloadModel("org/other", hub.options));
    expect(error.code).toBe("offline");
    expect(error.message).toContain("HF_HUB_OFFLINE");
    expect(hub.server.requests).toEqual([]);
  });

  it("is used when the hub is out of reach, and the reason is told", async () => {
    hub.server.commit("org/name", modelFiles());
    const { folder } = await downloadModel("org/name", hub.options);
    hub.server.fault("/api", ...Array.from({ length: 9 }, () => ({ kind: "status", status: 503 }) as const));
    const model = await downloadModel("org/name", hub.options);
    expect(model.folder).toBe(folder);
    expect(model.fallback?.code).toBe("server-error");
  });

  it("is completed when a file is missing or has the wrong size", async () => {
    const files = modelFiles();
    hub.server.commit("org/name", files);
    const { folder } = await downloadModel("org/name", hub.options);
    await writeFile(join(folder, "model.safetensors"), "truncated");
    const model = await downloadModel("org/name", hub.options);
    expect(model.files.filter(({ downloaded }) => downloaded).map(({ file }) => file)).toEqual(["model.safetensors"]);
    expect(await fileHash(join(folder, "model.safetensors"))).toBe(sha256(Buffer.from(files["model.safetensors"]!)));
  });

  it("left by huggingface_hub is found as it is", async () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const root = join(hub.cacheDir, "models--gpt2");
    await mkdir(join(root, "blobs"), { recursive: true });
    await mkdir(join(root, "refs"));
    await mkdir(join(root, "snapshots", commit), { recursive: true });
    await writeFile(join(root, "refs", "main"), commit);
    for (const [file, data] of Object.entries(modelFiles())) {
      const blob = gitSha1(Buffer.from(data));
      await writeFile(join(root, "blobs", blob), data);
      await symlink(`../../blobs/${blob}`, join(root, "snapshots", commit, file));
    }
    expect(await findCachedModel("gpt2")).toMatchObject({ commit, folder: join(root, "snapshots", commit) });
    expect(await findCachedModel("gpt2", "other")).toBeUndefined();
  });

  it("holds files instead of links where links are switched off", async () => {
    process.env["HF_HUB_DISABLE_SYMLINKS"] = "1";
    hub.server.commit("org/name", modelFiles());
    const { folder } = await downloadModel("org/name", hub.options);
    await expect(readlink(join(folder, "config.json"))).rejects.toThrow("EINVAL");
    expect(await fileHash(join(folder, "model.safetensors"))).toBe(sha256(noise(300_000, "one")));
    // One copy on the disk under two names, so that another commit finds the blob.
    expect((await stat(join(folder, "model.safetensors"))).nlink).toBe(2);
  });

  it("of another program is asked about once, as it may lack a file of the tokenizer", async () => {
    const commit = hub.server.commit("org/name", { ...modelFiles(), "added_tokens.json": "{}" });
    const first = await downloadModel("org/name", hub.options);
    await rm(join(first.folder, "added_tokens.json"));
    hub.server.requests.length = 0;
    const again = await downloadModel("org/name", { ...hub.options, revision: commit });
    expect(again.files.map(({ file }) => file)).toContain("added_tokens.json");
    await stat(join(first.folder, "added_tokens.json"));
    expect(hub.server.requests.length).toBeGreaterThan(0);
    // What the commit does not have is noted, as huggingface_hub does.
    await stat(join(hub.cacheDir, "models--org--name", ".no_exist", commit, "tokenizer.json"));
    hub.server.requests.length = 0;
    await downloadModel("org/name", { ...hub.options, preferCached: true });
    expect(hub.server.requests).toEqual([]);
  });
});
