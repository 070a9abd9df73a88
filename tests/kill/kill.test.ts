import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { MAIN } from "../../packages/cli/test/support/cli.ts";
import { modelFiles, useHub } from "../../packages/gpt2/test/hub/hub-fixture.ts";
import { SHAKESPEARE } from "../../packages/gpt2/test/support/models.ts";
import { writeTinyModel } from "../../packages/hw1/test/support/models.ts";
import { generator } from "../../packages/tensor/test/wasm-kernels/harness.ts";

/** How often each command is killed: a few times here, 200 times by `npm run test:long`. */
const KILLS = Number(process.env["KILLS"] ?? 4);
vi.setConfig({ testTimeout: 60_000 + KILLS * 60_000 });
const HW1 = fileURLToPath(new URL("../../packages/hw1/bin/hw1.js", import.meta.url));

let room: string;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), "gpt2-kill-"));
});
afterAll(() => rm(room, { recursive: true }));

/** What lies in a folder and its subfolders: path → contents. */
async function contents(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory()) found.set(path.slice(folder.length + 1), (await readFile(path)).toString("latin1"));
  }
  return found;
}

/** The same without what temporary folders and files hold. */
async function wholeFiles(folder: string): Promise<Map<string, string>> {
  const all = await contents(folder);
  return new Map([...all].filter(([path]) => !/\.converting(?:$|[\\/])|\.tmp$/.test(path)));
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Runs a command to its end; its standard error if it fails. */
async function complete(args: readonly string[]): Promise<string | undefined> {
  const child = start(args);
  let stderr = "";
  child.stderr!.on("data", (data) => {
    stderr += data;
  });
  const [status] = await once(child, "close");
  return status === 0 ? undefined : stderr;
}

/** Runs a command to its end; how many milliseconds that took. */
async function timed(args: readonly string[]): Promise<number> {
  const began = performance.now();
  expect(await complete(args)).toBeUndefined();
  return performance.now() - began;
}

/**
 * Kills a command again and again, each time after another part of the time that it takes, and looks at what it left.
 *
 * @param duration of a run to its end
 * @param before prepares a run
 * @param after checks what was left
 */
async function killed(
  args: readonly string[],
  duration: number,
  { before, after }: { before?: (round: number) => Promise<void>; after: (round: number) => Promise<void> },
  kills = KILLS,
): Promise<void> {
  const random = generator(11);
  for (let round = 0; round < kills; round++) {
    await before?.(round);
    const child = start(args);
    const closed = once(child, "close");
    // A command does its work at the end, after loading: half of the kills come in its last third.
    const share = round % 2 === 0 ? random() : 2 / 3 + random() / 3;
    const timer = setTimeout(() => child.kill("SIGKILL"), share * duration);
    await closed;
    clearTimeout(timer);
    await after(round);
  }
}

describe("a command that is killed", () => {
  const convert = (out: string, dtype: string, ...flags: string[]): string[] => [
    MAIN,
    "convert",
    "--model",
    SHAKESPEARE,
    "--dtype",
    dtype,
    "--out",
    out,
    ...flags,
  ];

  it("convert: leaves no folder, or the whole model", async () => {
    const own = join(room, "convert");
    await cp(SHAKESPEARE, join(own, "model"), { recursive: true });
    const [out, reference] = [join(own, "out"), join(own, "reference")];
    const duration = await timed(convert(reference, "int8"));
    const wanted = await contents(reference);
    await killed(convert(out, "int8"), duration, {
      before: () => rm(out, { recursive: true, force: true }),
      after: async () => {
        if ((await readdir(own)).includes("out")) expect(await contents(out)).toEqual(wanted);
      },
    });
    await rm(out, { recursive: true, force: true });
    expect(await complete(convert(out, "int8"))).toBeUndefined();
    expect(await contents(out)).toEqual(wanted);
    expect((await readdir(own)).sort()).toEqual(["model", "out", "reference"]);
  });

  it("convert --overwrite: leaves the old model or the new one", async () => {
    const own = await mkdtemp(join(room, "overwrite-"));
    const models = { bf16: join(own, "bf16"), int8: join(own, "int8") };
    expect(await complete(convert(models.bf16, "bf16"))).toBeUndefined();
    const duration = await timed(convert(models.int8, "int8"));
    const [bf16, int8] = await Promise.all([contents(models.bf16), contents(models.int8)]);
    const out = join(own, "out");
    await cp(models.bf16, out, { recursive: true });
    await killed(convert(out, "int8", "--overwrite"), duration, {
      before: () => cp(models.bf16, out, { recursive: true }),
      after: async () => expect([bf16, int8]).toContainEqual(await wholeFiles(out)),
    });
    expect(await complete(convert(out, "int8", "--overwrite"))).toBeUndefined();
    expect(await contents(out)).toEqual(int8);
  });

  it("convert --overwrite of another model: leaves the old one, the new one, or a folder without a checkpoint", async () => {
    const own = await mkdtemp(join(room, "another-"));
    const reference = join(own, "reference");
    const duration = await timed(convert(reference, "int8"));
    const wanted = await contents(reference);
    const old = new Map([...wanted].map(([name]) => [name, `the old ${name}`]));
    old.set("tokenizer.json", "the old tokenizer");
    const out = join(own, "out");
    const makeOld = async (): Promise<void> => {
      await cp(reference, out, { recursive: true });
      for (const [name, text] of old) await writeFile(join(out, name), text);
    };
    await killed(convert(out, "int8", "--overwrite"), duration, {
      before: makeOld,
      after: async () => {
        const left = await wholeFiles(out);
        if (left.has("model.safetensors")) expect([old, wanted]).toContainEqual(left);
        else expect((await readdir(out)).some((name) => name.endsWith(".converting"))).toBe(true);
      },
    });
    expect(await complete(convert(out, "int8", "--overwrite"))).toBeUndefined();
    expect(await contents(out)).toEqual(wanted);
  });

  it("logits: leaves the old file or the new one", async () => {
    const own = await mkdtemp(join(room, "logits-"));
    const out = join(own, "out");
    const logits = [MAIN, "logits", "--model", SHAKESPEARE, "--ids", new Array(256).fill(1).join(","), "--out", out];
    const duration = await timed(logits);
    const wanted = await readFile(out);
    await killed(logits, duration, {
      before: () => writeFile(out, "old"),
      after: async () => {
        const left = await readFile(out);
        expect(left.equals(wanted) || left.toString() === "old").toBe(true);
      },
    });
    expect(await complete(logits)).toBeUndefined();
    expect((await readFile(out)).equals(wanted)).toBe(true);
    expect(await readdir(own)).toEqual(["out"]);
  });

  it("score: leaves what --resume goes on from, again and again, to the very same file", async () => {
    const own = await mkdtemp(join(room, "score-"));
    const corpus = join(own, "corpus.jsonl");
    const text = "To be, or not to be, that is the question: ".repeat(12);
    const lines = Array.from({ length: 100 }, (_, i) => `${JSON.stringify({ id: i, text: text.slice(i) })}\n`);
    await writeFile(corpus, lines.join(""));
    const score = (out: string, ...flags: string[]): string[] => [MAIN, "score", corpus, "--out", out, ...flags];
    const reference = join(own, "reference");
    const duration = await timed(score(reference, "--threads", "1"));
    const wanted = await readFile(reference, "utf8");
    const random = generator(12);
    for (let kills = 0, run = 0; kills < KILLS; run++) {
      const out = join(own, `out-${run}.jsonl${run % 3 === 2 ? ".gz" : ""}`);
      const jobs = run % 2 === 0 ? ["--jobs", "2"] : ["--threads", "1"];
      let status: number | null = null;
      while (status !== 0) {
        const child = start(score(out, "--resume", ...jobs));
        const closed = once(child, "close");
        // Longer and longer, so that an end is reached, whatever else the machine does.
        const timer = setTimeout(() => child.kill("SIGKILL"), random() * duration * (1 + kills / 10));
        [status] = await closed;
        clearTimeout(timer);
        if (status !== 0) kills++;
        const left = await readFile(out).catch(() => Buffer.alloc(0));
        if (!out.endsWith(".gz")) expect(wanted.startsWith(left.toString())).toBe(true);
      }
      const made = await readFile(out);
      expect((out.endsWith(".gz") ? gunzipSync(made) : made).toString()).toBe(wanted);
    }
    expect((await readdir(own)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("train: leaves no folder, or a model and a training that goes on to the very same files", async () => {
    const own = await mkdtemp(join(room, "train-"));
    const text = join(own, "text.txt");
    await writeFile(
      text,
      Array.from({ length: 300 }, (_, i) => `Line ${i} of a text, and line ${i + 1} follows it.\n`).join(""),
    );
    const small = ["--layers", "1", "--heads", "2", "--channels", "8", "--vocab-size", "270", "--context", "16"];
    const often = [
      "--steps",
      "20",
      "--batch-tokens",
      "32",
      "--eval-every",
      "2",
      "--eval-tokens",
      "32",
      "--threads",
      "1",
    ];
    const train = (out: string): string[] => [MAIN, "train", "--text", text, "--out", out, ...small, ...often];
    const [out, reference] = [join(own, "out"), join(own, "reference")];
    const duration = await timed(train(reference));
    const wanted = withoutLog(await contents(reference));
    await killed(
      train(out),
      duration,
      {
        before: () => rm(out, { recursive: true, force: true }),
        after: async () => {
          if (!(await readdir(own)).includes("out")) return;
          const { model } = await GPT2.load(out, { device: "reference" });
          expect(model.config.nLayer).toBe(1);
          expect(await complete([MAIN, "train", "--resume", out, "--threads", "2"])).toBeUndefined();
          expect(withoutLog(await contents(out))).toEqual(wanted);
        },
      },
      Math.ceil(KILLS / 4), // 50 by npm run test:long
    );
    await rm(out, { recursive: true, force: true });
    expect(await complete(train(out))).toBeUndefined();
    expect((await readdir(own)).sort()).toEqual(["out", "reference", "text.txt"]);

    function withoutLog(files: Map<string, string>): Map<string, string> {
      return new Map([...files].filter(([name]) => !name.endsWith("log.jsonl"))); // which tells how fast it was
    }
  });

  it("hw1 all: leaves files that are absent or whole", async () => {
    const own = await mkdtemp(join(room, "hw1-"));
    const [out, reference] = [join(own, "out"), join(own, "reference")];
    const model = join(own, "model");
    await writeTinyModel(model);
    const all = (folder: string): string[] => [HW1, "all", "--model", model, "--length", "4", "--out", folder];
    const duration = await timed(all(reference));
    const wanted = await contents(reference);
    const lastLine = (text: string): string =>
      text
        .trimEnd()
        .split("\n")
        .at(-1)!
        .replace(/[\d.]+/, "seconds");
    const withoutTimes = (files: Map<string, string>) => new Map([...files].filter(([name]) => name !== "report.md"));
    await killed(
      all(out),
      duration,
      {
        before: () => rm(out, { recursive: true, force: true }),
        after: async () => {
          const left = await wholeFiles(out).catch(() => new Map<string, string>());
          for (const [name, text] of withoutTimes(left)) expect(text === wanted.get(name), name).toBe(true);
          const report = left.get("report.md"); // tells how long the run took
          if (report !== undefined) expect(lastLine(report)).toBe(lastLine(wanted.get("report.md")!));
        },
      },
      Math.ceil(KILLS / 4),
    ); // one run takes seconds
    expect(await complete(all(out))).toBeUndefined();
    expect(withoutTimes(await contents(out))).toEqual(withoutTimes(wanted));
    expect([...(await contents(out)).keys()].sort()).toEqual([...wanted.keys()].sort());
  });
});

describe("a download that is killed", () => {
  const hub = useHub();

  it("leaves whole files only, and is continued by the next one", async () => {
    const files = modelFiles("one", 3_000_000);
    const commit = hub.server.commit("org/name", files);
    const repository = join(hub.cacheDir, "models--org--name");
    process.env["HF_ENDPOINT"] = hub.server.url;
    process.env["NO_PROXY"] = "127.0.0.1";
    hub.server.throttle = { bytes: 50_000, ms: 5 };
    const snapshot = join(repository, "snapshots", commit);
    const isWhole = async (name: string): Promise<void> => {
      const wanted = Buffer.from(files[name] as string | Uint8Array);
      expect((await readFile(join(snapshot, name))).equals(wanted), name).toBe(true);
    };
    const download = [MAIN, "download", "org/name"];
    const duration = await timed(download);
    await killed(download, duration, {
      before: (round) => (round % 3 === 0 ? rm(repository, { recursive: true, force: true }) : Promise.resolve()),
      after: async () => {
        const left = await readdir(snapshot).catch(() => [] as string[]);
        for (const name of left) if (!name.endsWith(".tmp")) await isWhole(name);
      },
    });
    expect(await complete(download)).toBeUndefined();
    for (const name of await readdir(snapshot)) await isWhole(name);
    expect(await readdir(snapshot)).toContain("model.safetensors");
    expect((await readdir(join(repository, "blobs"))).filter((name) => name.endsWith(".incomplete"))).toEqual([]);
  });
});
