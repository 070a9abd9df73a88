import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { open, writeFile as writeTensors } from "safetensors-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { convertModel, type FolderProgress, resumeTraining, trainFolder } from "../../src/node.ts";
import { SHAKESPEARE } from "../support/models.ts";

const device = createWasmBackend({ threads: 1, deterministic: true });
let room: string;
let text: string;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), "gpt2-train-"));
  text = join(room, "text.txt");
  const lines = Array.from(
    { length: 400 },
    (_, i) => `Line ${i} of a text that says that line ${i + 1} will follow it.\n`,
  );
  await writeFile(text, lines.join(""));
});
afterAll(async () => {
  device.dispose();
  await rm(room, { recursive: true });
});

const small = {
  layers: 2,
  heads: 2,
  channels: 16,
  vocabSize: 280,
  context: 16,
  batchTokens: 64,
  learningRate: 1e-2,
} as const;
const begin = () => ({ ...small, text: [text], steps: 20, evalEvery: 5, evalTokens: 256, device });

let folders = 0;
const newFolder = (): string => join(room, `out-${folders++}`);

/** The files that do not tell the time. */
async function hashes(folder: string): Promise<Record<string, string>> {
  const files = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
  const all = [...files, "training/state.safetensors", "training/options.json", "training/loss.svg"];
  const hash = async (name: string) =>
    createHash("sha256")
      .update(await readFile(join(folder, name)))
      .digest("hex");
  return Object.fromEntries(await Promise.all(all.map(async (name) => [name, await hash(name)] as const)));
}

/** Stops a training once it tells that. */
function stopAt(type: FolderProgress["type"], step: number) {
  const controller = new AbortController();
  const onProgress = (progress: FolderProgress): void => {
    if (progress.type === type && "step" in progress && progress.step === step) controller.abort(new Error("stopped"));
  };
  return { onProgress, signal: controller.signal };
}

describe("a training in a folder", () => {
  let whole: string;
  beforeAll(async () => {
    whole = newFolder();
    const progress: string[] = [];
    const result = await trainFolder(whole, {
      ...begin(),
      onProgress: (told) => {
        if (told.type === "begin") expect(told).toMatchObject({ step: 0, options: { steps: 20, context: 16 } });
        if (told.type === "saved") progress.push(`${told.step}${told.model ? " and the model" : ""}`);
      },
    });
    expect(result).toMatchObject({ step: 20, evaluated: 20 });
    expect(result.best!.loss).toBeLessThan(Math.log(280));
    expect(progress.map((line) => Number.parseInt(line, 10))).toEqual([5, 10, 15, 20]);
  });

  it("leaves a model like any other, its log and its curve, and nothing else", async () => {
    expect((await readdir(whole)).sort()).toEqual([
      "config.json",
      "merges.txt",
      "model.safetensors",
      "training",
      "vocab.json",
    ]);
    expect((await readdir(join(whole, "training"))).sort()).toEqual([
      "log.jsonl",
      "loss.svg",
      "options.json",
      "state.safetensors",
    ]);
    using model = await GPT2.load(whole, { device });
    const { text: continued } = await model.generate("Line 7 of a", { maxTokens: 8, greedy: true });
    expect(continued.length).toBeGreaterThan(0);
    const log = (await readFile(join(whole, "training/log.jsonl"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(log.filter(({ loss }) => loss !== undefined).map(({ step }) => step)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(log.filter(({ heldOutLoss }) => heldOutLoss !== undefined).map(({ step }) => step)).toEqual([
      0, 5, 10, 15, 20,
    ]);
    expect(await readFile(join(whole, "training/loss.svg"), "utf8")).toMatch(/^<svg [^>]+>\n.*<polyline .*<\/svg>\n$/s);
    expect(JSON.parse(await readFile(join(whole, "training/options.json"), "utf8"))).toMatchObject({
      version: 1,
      text: [text],
      heldOut: 0.1,
    });
  });

  it.each([
    ["between two looks at the held-out text", "step", 7],
    ["after a look, before all of it was written", "evaluation", 10],
    ["after it was saved", "saved", 10],
  ] as const)("goes on where it was stopped, %s, to the very same files", async (_, type, step) => {
    const folder = newFolder();
    await expect(trainFolder(folder, { ...begin(), ...stopAt(type, step) })).rejects.toThrow("stopped");
    using between = await GPT2.load(folder, { device });
    expect(between.config.nLayer).toBe(2);
    const first = { step: 0 };
    const result = await resumeTraining(folder, {
      device,
      onProgress: (progress) => {
        if (progress.type === "begin") first.step = progress.step;
      },
    });
    expect(first.step).toBe(step);
    expect(result.step).toBe(20);
    expect(await hashes(folder)).toEqual(await hashes(whole));
    expect(await resumeTraining(folder, { device })).toMatchObject({ step: 20, loss: undefined });
  });

  it.skipIf(process.platform !== "linux")(
    "names the file that a full disk takes no more of; what was saved before is there",
    async () => {
      const folder = newFolder();
      const log = join(folder, "training/log.jsonl");
      const onProgress = async ({ type }: FolderProgress): Promise<void> => {
        if (type === "begin") await symlink("/dev/full", log);
      };
      await expect(trainFolder(folder, { ...begin(), onProgress })).rejects.toThrow(
        `${log}: the file cannot be written (ENOSPC)`,
      );
      await rm(log);
      expect(await resumeTraining(folder, { device })).toMatchObject({ step: 20 });
      expect(await hashes(folder)).toEqual(await hashes(whole));
    },
  );

  it("goes on with the same text only, wherever it is now", async () => {
    const folder = newFolder();
    const own = join(room, "moving.txt");
    await cp(text, own);
    await expect(trainFolder(folder, { ...begin(), text: [own], ...stopAt("step", 1) })).rejects.toThrow("stopped");
    await rm(own);
    await expect(resumeTraining(folder, { device })).rejects.toThrow(`text: there is no file ${own}`);
    const other = join(room, "other.txt");
    await writeFile(other, `${await readFile(text, "utf8")}One more line.\n`);
    await expect(resumeTraining(folder, { device, text: [other] })).rejects.toThrow(
      "text: it is not the text that the training began with",
    );
    await writeFile(join(folder, "merges.txt"), "#version: 0.2\n");
    await expect(resumeTraining(folder, { device, text: [text] })).rejects.toThrow(
      /^resume: the tokenizer in .* is not the one/,
    );
    await cp(join(whole, "merges.txt"), join(folder, "merges.txt"));
    expect(await resumeTraining(folder, { device, text: [text] })).toMatchObject({ step: 20 });
    await expect(resumeTraining(folder, { device, heldOutText: [text] })).rejects.toThrow(
      "heldOutText: a share of the text is held out",
    );
  });

  it("is refused while another process trains there; what a killed one left is removed", async () => {
    const host = createHash("sha256")
      .update((await import("node:os")).hostname())
      .digest("hex")
      .slice(0, 8);
    const running = join(whole, "training", `lock.${host}-${process.ppid}-01234567.tmp`);
    await writeFile(running, "");
    await expect(resumeTraining(whole, { device })).rejects.toThrow(
      `resume: another process (${process.ppid}) is training in this folder`,
    );
    await rm(running);
    const dead = join(whole, "training", `lock.${host}-4194305-01234567.tmp`);
    const half = join(whole, `model.safetensors.${host}-4194305-01234567.tmp`);
    for (const path of [dead, half]) await writeFile(path, "");
    await resumeTraining(whole, { device });
    expect(await readdir(join(whole, "training"))).toEqual([
      "log.jsonl",
      "loss.svg",
      "options.json",
      "state.safetensors",
    ]);
    await rm(half, { force: true });
  });

  it("keeps the best model where more steps make it worse, and the latest where nothing is held out", async () => {
    const folder = newFolder();
    const worse = { ...begin(), steps: 12, evalEvery: 4, learningRate: 2, minLearningRate: 2, warmupSteps: 11 };
    const result = await trainFolder(folder, worse);
    expect(result.best!.step).toBeLessThan(12);
    using best = await GPT2.load(folder, { device });
    await using state = await open(join(folder, "training/state.safetensors"));
    expect(best.model.weights.wpe.dataSync()).not.toEqual(await state.readFloat32("wpe.weight"));

    const without = newFolder();
    expect(await trainFolder(without, { ...begin(), heldOut: 0, steps: 3 })).toMatchObject({
      best: undefined,
      heldOutLoss: undefined,
    });
    using latest = await GPT2.load(without, { device });
    await using last = await open(join(without, "training/state.safetensors"));
    expect(latest.model.weights.wpe.dataSync()).toEqual(await last.readFloat32("wpe.weight"));
  });
});

describe("a training that begins with a model", () => {
  const fine = () => ({
    text: [text],
    steps: 2,
    context: 32,
    batchTokens: 64,
    learningRate: 1e-3,
    evalTokens: 64,
    device,
  });

  it("keeps its config and tokenizer, and changes its weights but for the frozen ones", async () => {
    const folder = newFolder();
    const result = await trainFolder(folder, { ...fine(), model: SHAKESPEARE, freeze: ["wte.weight", "h.3.*"] });
    expect(result.heldOutLoss).toBeLessThan(12);
    for (const name of ["config.json", "vocab.json", "merges.txt"]) {
      expect(await readFile(join(folder, name), "utf8")).toBe(await readFile(join(SHAKESPEARE, name), "utf8"));
    }
    await using before = await open(join(SHAKESPEARE, "model.safetensors"));
    await using after = await open(join(folder, "model.safetensors"));
    expect([...after.names].sort()).toEqual([...before.names].sort());
    for (const name of after.names) {
      const same = Buffer.from((await after.readFloat32(name)).buffer).equals(
        Buffer.from((await before.readFloat32(name)).buffer),
      );
      expect(same, name).toBe(name === "wte.weight" || name.startsWith("h.3."));
    }
  });

  it("takes one that was converted to fewer bits, and one with an output layer of its own", async () => {
    const [half, untied] = [newFolder(), newFolder()];
    await convertModel(await modelSource(SHAKESPEARE), half, { dtype: "int8" });
    await cp(SHAKESPEARE, untied, { recursive: true });
    await using file = await open(join(SHAKESPEARE, "model.safetensors"));
    const tensors = await Promise.all(
      file.names.map(
        async (name) =>
          [name, { dtype: "F32", shape: (await file.info(name)).shape, data: await file.readFloat32(name) }] as const,
      ),
    );
    const wte = tensors.find(([name]) => name === "wte.weight")![1];
    const head = { ...wte, data: wte.data.map((value) => value * 0.9) };
    await writeTensors(join(untied, "model.safetensors"), new Map([...tensors, ["lm_head.weight", head]]), {
      format: "pt",
    });
    for (const model of [half, untied]) {
      const out = newFolder();
      await expect(trainFolder(out, { ...fine(), model, onWarning: () => {}, ...stopAt("step", 1) })).rejects.toThrow(
        "stopped",
      );
      expect(await resumeTraining(out, { device, onWarning: () => {} })).toMatchObject({ step: 2 });
      await using trained = await open(join(out, "model.safetensors"));
      expect((await trained.info("wte.weight")).dtype).toBe("F32");
      expect(trained.has("lm_head.weight")).toBe(model === untied);
      using loaded = await GPT2.load(out, { device, onWarning: () => {} });
      expect(loaded.config.tieWordEmbeddings).toBe(model === half);
    }
  });

  it("is too large for a WebAssembly memory: says so before the weights are looked at", async () => {
    const medium = join(room, "medium");
    await mkdir(medium);
    await writeFile(
      join(medium, "config.json"),
      JSON.stringify({ model_type: "gpt2", n_embd: 1024, n_layer: 24, n_head: 16 }),
    );
    const out = newFolder();
    await expect(trainFolder(out, { text: [text], model: medium })).rejects.toThrow(
      /^wasm: training this model takes about 7\.\d GB \(5\.\d GB for weights, gradients and AdamW, .* holds 4\.3 GB; freeze layers/,
    );
    await expect(trainFolder(out, { text: [text], model: medium, freeze: ["h.?.*", "wte.weight"] })).rejects.toThrow(
      "freeze: no weight is called",
    );
    expect((await readdir(room)).includes("out-0")).toBe(true);
  });
});

describe("a training that cannot begin leaves nothing behind", () => {
  it.each<[string, () => Promise<object>, RegExp]>([
    ["a text that is empty", async () => ({ text: [await written("")] }), /^text: .*is empty$/],
    ["no text", async () => ({ text: [] }), /^text: expected at least one file$/],
    [
      "a text of end-of-line marks of JSON only",
      async () => ({
        text: [await written("\n\n", "jsonl")],
        heldOut: 0,
        tokenizer: SHAKESPEARE,
        vocabSize: undefined,
      }),
      /^text: there is no text/,
    ],
    [
      "a text shorter than the context",
      async () => ({ text: [await written("Too short.")], heldOut: 0 }),
      /^context: the text has \d+ tokens to learn from; sequences of 16 need at least 17$/,
    ],
    [
      "heads that do not share the channels",
      async () => ({ heads: 3 }),
      /^heads: 16 channels cannot be shared by 3 heads$/,
    ],
    [
      "the shape of a model that is given",
      async () => ({ model: SHAKESPEARE, vocabSize: undefined, heads: undefined, channels: undefined }),
      /^layers: is for a model that is made/,
    ],
    ["a vocabulary below the bytes", async () => ({ vocabSize: 200 }), /^vocabSize: expected an integer from 257/],
    [
      "both kinds of held-out text",
      async () => ({ heldOut: 0.2, heldOutText: [text] }),
      /^heldOut: there are held-out files already$/,
    ],
    ["a device that does not train", async () => ({ device: "gpu" }), /^device: the gpu device does not train/],
    ["an option that is none", async () => ({ epochs: 3 }), /^epochs: there is no such option/],
  ])("%s", async (_, options, message) => {
    const out = newFolder();
    const run = trainFolder(out, { ...begin(), ...(await options()) } as Parameters<typeof trainFolder>[1]);
    await expect(run).rejects.toThrow(message);
    const left = (await readdir(room)).filter(
      (name) => name.startsWith(out.slice(room.length + 1)) || name.endsWith(".tmp"),
    );
    expect(left).toEqual([]);
  });

  it("a folder with something in it, and one where none can be made", async () => {
    const full = newFolder();
    await mkdir(full);
    await writeFile(join(full, "note"), "");
    await expect(trainFolder(full, begin())).rejects.toThrow(
      /^out: .* is not empty; a training begins in a new folder$/,
    );
    await expect(trainFolder(text, begin())).rejects.toThrow(
      /^out: .*text\.txt is not a folder that can be used \(ENOTDIR\)$/,
    );
    await expect(trainFolder(join(text, "below"), begin())).rejects.toThrow(/^out: /);
    const empty = newFolder();
    await mkdir(empty);
    expect(await trainFolder(empty, { ...begin(), steps: 1 })).toMatchObject({ step: 1 });
    await expect(trainFolder(empty, begin())).rejects.toThrow(/^out: there is a training in .* already/);
    await expect(resumeTraining(SHAKESPEARE, { device })).rejects.toThrow(
      /there is no training in this folder to go on with \(ENOENT\)$/,
    );
  });
});

let texts = 0;
async function written(content: string, ending = "txt"): Promise<string> {
  const path = join(room, `own-${texts++}.${ending}`);
  await writeFile(path, content);
  return path;
}
