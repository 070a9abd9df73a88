import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { downloadModel } from "../../src/hub/index.ts";
import { fileHash, hubErrorOf, modelFiles, noise, useHub } from "./hub-fixture.ts";
import { type Fault, sha256 } from "./hub-server.ts";

const hub = useHub();
const WEIGHTS = "model.safetensors";
const SIZE = 300_000;

const once = { retries: 0 };
const ranges = () =>
  hub.server
    .transfers(WEIGHTS)
    .filter(({ server }) => server === "cdn")
    .map(({ headers }) => headers.range);
const weightsOf = async (folder: string) => fileHash(join(folder, WEIGHTS));

/**
 * Runs a download that breaks off and leaves a part of `after` bytes of the weights. A body that breaks drops what its reader
 * has not taken yet, which on a busy machine is some of what was sent: then it is broken off anew.
 */
async function breakOff(after: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    hub.server.fault(WEIGHTS, { kind: "cut", after });
    expect((await hubErrorOf(downloadModel("org/name", { ...hub.options, ...once }))).code).toBe("connection-lost");
    const part = await partOf();
    if (part !== undefined && (await stat(part)).size === after) break;
    expect(attempt, `a part of ${after} bytes`).toBeLessThan(5);
    if (part !== undefined) for (const file of [part, `${part}.etag`]) await rm(file, { force: true });
  }
  hub.server.requests.length = 0;
}

async function partOf(): Promise<string | undefined> {
  const name = (await hub.blobs("org/name")).find((blob) => blob.endsWith(".incomplete"));
  return name === undefined ? undefined : join(hub.cacheDir, "models--org--name", "blobs", name);
}

describe("a download whose connection breaks", () => {
  it("continues within the same call from where it was, by Range and If-Range", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "cut", after: 100_000 }, { kind: "cut", after: 70_000 });
    const { folder } = await downloadModel("org/name", hub.options);
    expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
    expect(ranges()).toEqual([undefined, "bytes=100000-", "bytes=170000-"]);
    const etag = `"${createHash("md5").update(noise(SIZE, "one")).digest("hex")}-8"`;
    expect(hub.server.transfers(WEIGHTS).at(-1)?.headers["if-range"]).toBe(etag);
    expect(hub.events.filter(({ type }) => type === "retry")).toHaveLength(2);
  });

  it("keeps its part, and the next call continues it", async () => {
    hub.server.commit("org/name", modelFiles());
    await breakOff(123_456);
    expect(await fileHash((await partOf())!)).toBe(sha256(noise(SIZE, "one").subarray(0, 123_456)));
    const { folder } = await downloadModel("org/name", hub.options);
    expect(ranges()).toEqual(["bytes=123456-"]);
    expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
    expect(hub.events).toContainEqual({ type: "resume", file: WEIGHTS, loaded: 123_456, size: SIZE });
    expect((await hub.blobs("org/name")).filter((name) => name.includes("incomplete"))).toEqual([]);
  });

  it.each([0, 1, 65_536, SIZE - 1])("arrives whole when it is cut after %i bytes", async (after) => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "cut", after });
    const { folder } = await downloadModel("org/name", hub.options);
    expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
  });

  it("gives up after a bounded number of tries with an error that names the host", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, ...Array.from({ length: 20 }, (): Fault => ({ kind: "cut", after: 10 })));
    const error = await hubErrorOf(downloadModel("org/name", hub.options));
    expect(error).toMatchObject({ code: "connection-lost", file: WEIGHTS });
    expect(error.message).toContain("127.0.0.1");
    expect(ranges()).toHaveLength(4);
  });

  it("takes the part of a process that was killed, and leaves that of a living one alone", async () => {
    hub.server.commit("org/name", modelFiles());
    await breakOff(100_000);
    const handOver = async (pid: number) => {
      const part = (await partOf())!;
      const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
      const taken = part.replace(/\.[0-9a-f]{8}-\d+-/, `.${host}-${pid}-`);
      await rename(part, taken);
      await rename(`${part}.etag`, `${taken}.etag`);
      return taken;
    };
    const living = await handOver(process.ppid);
    const { folder } = await downloadModel("org/name", hub.options);
    expect(ranges()).toEqual([undefined]);
    expect(await partOf()).toBe(living);
    hub.server.requests.length = 0;
    await writeFile(join(folder, WEIGHTS), "spoilt");
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    await handOver(dead);
    await downloadModel("org/name", hub.options);
    expect(ranges()).toEqual(["bytes=100000-"]);
    expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
  });
});

describe("two versions are never spliced", () => {
  it("when the object changed between two runs, If-Range makes the download start over", async () => {
    hub.server.commit("org/name", modelFiles());
    // What the CDN had at first: other bytes of the same length, then the right ones.
    const right = noise(SIZE, "one");
    hub.server.replaceObject(right, noise(SIZE, "wrong"));
    await breakOff(100_000);
    hub.server.replaceObject(right, right);
    const { folder } = await downloadModel("org/name", hub.options);
    expect(hub.server.transfers(WEIGHTS).at(-1)?.headers["if-range"]).toMatch(/^"[0-9a-f]{32}-8"$/);
    expect(ranges()).toEqual(["bytes=100000-"]);
    expect(await weightsOf(folder)).toBe(sha256(right));
  });

  it("when the server ignores If-Range, the changed ETag is noticed", async () => {
    hub.server.commit("org/name", modelFiles());
    const right = noise(SIZE, "one");
    hub.server.replaceObject(right, noise(SIZE, "wrong"));
    await breakOff(100_000);
    hub.server.replaceObject(right, right);
    hub.server.fault(WEIGHTS, { kind: "ignore-if-range" });
    const { folder } = await downloadModel("org/name", hub.options);
    expect(ranges()).toEqual(["bytes=100000-", undefined]);
    expect(await weightsOf(folder)).toBe(sha256(right));
  });

  it("when the branch moved on, the new commit is fetched from its beginning", async () => {
    hub.server.commit("org/name", modelFiles("one"));
    await breakOff(100_000);
    const commit = hub.server.commit("org/name", modelFiles("two"));
    const model = await downloadModel("org/name", hub.options);
    expect(model.commit).toBe(commit);
    expect(ranges()).toEqual([undefined]);
    expect(await weightsOf(model.folder)).toBe(sha256(noise(SIZE, "two")));
  });

  it("when a mirror without API changes in the middle of a download, the listing is made anew", async () => {
    hub.server.hasApi = false;
    hub.server.commit("org/name", modelFiles("one"));
    let commit = "";
    hub.server.fault(WEIGHTS, { kind: "cut", after: 100_000 });
    const model = await downloadModel("org/name", {
      ...hub.options,
      onProgress: (event) => {
        if (event.type === "retry") commit = hub.server.commit("org/name", modelFiles("two"));
      },
    });
    expect(model.commit).toBe(commit);
    expect(await weightsOf(model.folder)).toBe(sha256(noise(SIZE, "two")));
  });

  it.each(["weak", "none"] as const)("with %s ETags every try starts from the beginning", async (etags) => {
    hub.server.etags = etags;
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "cut", after: 100_000 });
    const { folder } = await downloadModel("org/name", hub.options);
    expect(ranges()).toEqual([undefined, undefined]);
    expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
  });

  it.each([{ kind: "ignore-range" }, { kind: "wrong-range" }] satisfies Fault[])(
    "an answer with other bytes than asked for is not appended ($kind)",
    async (fault) => {
      hub.server.commit("org/name", modelFiles());
      await breakOff(100_000);
      hub.server.fault(WEIGHTS, fault);
      const { folder } = await downloadModel("org/name", hub.options);
      expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
    },
  );

  it("a part whose bytes rotted on the disk is thrown away, and the file fetched anew", async () => {
    hub.server.commit("org/name", modelFiles());
    await breakOff(100_000);
    await writeFile((await partOf())!, noise(100_000, "rot"));
    const { folder } = await downloadModel("org/name", hub.options);
    expect(ranges()).toEqual(["bytes=100000-", undefined]);
    expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
  });
});

describe("several downloads of one model at once", () => {
  it("each end with the whole file, also where they could take up the same part", async () => {
    hub.server.commit("org/name", modelFiles());
    await breakOff(50_000);
    hub.server.throttle = { bytes: 30_000, ms: 5 };
    const models = await Promise.all(Array.from({ length: 4 }, () => downloadModel("org/name", hub.options)));
    for (const { folder } of models) expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
    expect(ranges().filter((range) => range !== undefined)).toEqual(["bytes=50000-"]);
    const blobs = await hub.blobs("org/name");
    expect(blobs.filter((name) => name.includes("incomplete"))).toEqual([]);
    expect(blobs).toContain(sha256(noise(SIZE, "one")));
  });
});

describe("stopping", () => {
  it("by AbortSignal rejects with its reason at once and leaves a part to continue", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.throttle = { bytes: 10_000, ms: 5 };
    const controller = new AbortController();
    const stopped = downloadModel("org/name", {
      ...hub.options,
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === "bytes" && event.file === WEIGHTS && event.loaded > 50_000) controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    const length = (await readFile((await partOf())!)).length;
    expect(length).toBeGreaterThan(50_000);
    hub.server.requests.length = 0;
    const { folder } = await downloadModel("org/name", hub.options);
    expect(ranges()).toEqual([`bytes=${length}-`]);
    expect(await weightsOf(folder)).toBe(sha256(noise(SIZE, "one")));
  });

  it("works before the first request and while waiting for a retry", async () => {
    hub.server.commit("org/name", modelFiles());
    await expect(downloadModel("org/name", { ...hub.options, signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(hub.server.requests).toEqual([]);
    const controller = new AbortController();
    hub.server.fault("/api", { kind: "status", status: 503 });
    const waiting = downloadModel("org/name", {
      ...hub.options,
      retryDelay: 60_000,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    expect(await readdir(process.env["HF_HOME"]!)).toEqual([]);
  });
});
