import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ModelCache } from "../../src/hub/cache.ts";
import { canBePath } from "../../src/hub/windows.ts";
import { HOST } from "../../src/process-owner.ts";
import { replace } from "../../src/replace.ts";

const noLinks = vi.hoisted(() => ({ symlink: false, link: false }));
vi.mock("node:fs/promises", async (original) => {
  const files = await original<typeof import("node:fs/promises")>();
  const refused = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));
  return {
    ...files,
    symlink: (...args: Parameters<typeof files.symlink>) =>
      noLinks.symlink ? refused("EPERM") : files.symlink(...args),
    link: (...args: Parameters<typeof files.link>) => (noLinks.link ? refused("ENOTSUP") : files.link(...args)),
  };
});

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const ETAG = "a".repeat(40);
let folder = "";
let cache: ModelCache;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpt2-cache-"));
  cache = new ModelCache(folder, "org/name");
  await cache.makeBlobFolder();
  await writeFile(cache.blobPath(ETAG), "bytes");
});
afterEach(async () => {
  Object.assign(noLinks, { symlink: false, link: false });
  await rm(folder, { recursive: true, force: true });
});

describe("a file of a snapshot", () => {
  const path = () => join(cache.snapshotFolder(COMMIT), "config.json");
  const names = async (place: string) => (await readdir(join(folder, "models--org--name", place))).sort();

  it("is a second name of its blob where links by name need a privilege", async () => {
    noLinks.symlink = true;
    await cache.link(COMMIT, "config.json", ETAG, 5);
    expect((await stat(path())).ino).toBe((await stat(cache.blobPath(ETAG))).ino);
  });

  it("takes the place of what a killed download left beside it, and leaves that of one that runs", async () => {
    const { pid: dead } = spawnSync(process.execPath, ["-e", ""]);
    const link = async (place: string, pid: number): Promise<string> => {
      const temporary = `${place}.${HOST}-${pid}-0123abcd.tmp`;
      await mkdir(dirname(place), { recursive: true });
      await symlink("../../blobs/gone", temporary);
      return basename(temporary);
    };
    await link(path(), dead);
    const running = await link(path(), process.ppid);
    const ref = join(folder, "models--org--name", "refs", "main");
    await link(ref, dead);
    await cache.link(COMMIT, "config.json", ETAG, 5);
    await cache.writeRef("main", COMMIT);
    expect(await names(`snapshots/${COMMIT}`)).toEqual(["config.json", running]);
    expect(await names("refs")).toEqual(["main"]);
  });

  it("is the blob itself, moved, where there are no links: one copy on the disk", async () => {
    Object.assign(noLinks, { symlink: true, link: true });
    await cache.link(COMMIT, "config.json", ETAG, 5);
    expect(await readFile(path(), "utf8")).toBe("bytes");
    expect(await names("blobs")).toEqual([]);
    expect(await names(`snapshots/${COMMIT}`)).toEqual(["config.json"]);
    // A second download, which finds the blob moved already, is content with it.
    await cache.link(COMMIT, "config.json", ETAG, 5);
    await expect(cache.link(COMMIT, "vocab.json", ETAG, 5)).rejects.toThrow("ENOENT");
  });

  it("leaves no temporary name behind", async () => {
    await cache.link(COMMIT, "config.json", ETAG, 5);
    await cache.link(COMMIT, "config.json", ETAG, 5);
    expect(await names(`snapshots/${COMMIT}`)).toEqual(["config.json"]);
  });
});

describe("a branch in refs", () => {
  it("is found in its own spelling only, also where the file system sees no difference", async () => {
    await cache.writeRef("Main", COMMIT);
    expect(await cache.readRef("Main")).toBe(COMMIT);
    expect(await cache.readRef("main")).toBeUndefined();
    await cache.writeRef("refs/pr/1", COMMIT);
    expect(await cache.readRef("refs/pr/1")).toBe(COMMIT);
    expect(await cache.readRef("refs/pr")).toBeUndefined();
  });
});

describe("on Windows", () => {
  it.each(["con", "NUL.json", "refs/aux", "com1.bin", "LPT9", "a<b", "a|b", 'a"b', "a?", "a*", "v1.", "x /y", "COM¹"])(
    "%j is no path, and elsewhere it is one",
    (name) => {
      expect(canBePath(name, "win32")).toBe(false);
      expect(canBePath(name, "linux")).toBe(true);
    },
  );

  it.each(["config.json", "refs/pr/1", "console.json", "nullable", "v1.0", "a b", "com10"])("%j is one", (name) => {
    expect(canBePath(name, "win32")).toBe(true);
  });

  it("a file that somebody has open is replaced as soon as that is possible, within two seconds", async () => {
    const outcomes = ["EPERM", "EBUSY", "EACCES", undefined];
    let tries = 0;
    const rename = async () => {
      const code = outcomes[tries++];
      if (code !== undefined) throw Object.assign(new Error(code), { code });
    };
    await replace("a", "b", { platform: "win32", rename });
    expect(tries).toBe(4);
    tries = 0;
    await expect(replace("a", "b", { platform: "linux", rename })).rejects.toThrow("EPERM");
    expect(tries).toBe(1);
    const begin = performance.now();
    const never = () => Promise.reject(Object.assign(new Error("EBUSY"), { code: "EBUSY" }));
    await expect(replace("a", "b", { platform: "win32", rename: never })).rejects.toThrow("EBUSY");
    expect(performance.now() - begin).toBeGreaterThan(1900);
    const gone = () => Promise.reject(Object.assign(new Error("ENOENT"), { code: "ENOENT" }));
    await expect(replace("a", "b", { platform: "win32", rename: gone })).rejects.toThrow("ENOENT");
  });
});
