import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { parse } from "safetensors-ts";
import { afterAll, describe, expect, test } from "vitest";
import { convertModel } from "../../../src/checkpoint/convert/convert.ts";
import type { ConvertOptions } from "../../../src/checkpoint/convert/options.ts";
import { loadModel } from "../../../src/checkpoint/load.ts";
import { modelSource } from "../../../src/checkpoint/source/index.ts";
import { ModelFormatError } from "../../../src/errors.ts";
import { disposeModel } from "../../../src/model/dispose.ts";
import { allLogits } from "../../../src/model/inspect.ts";
import { largestDifference } from "../../support/models.ts";
import { FIXTURES, fixture, IDS, modelFiles, safetensors, somethingRan } from "./fixtures.ts";

const device = createWasmBackend({ threads: 1, deterministic: true });
const folder = await mkdtemp(join(tmpdir(), "gpt2-torch-"));
afterAll(async () => {
  device.dispose();
  await rm(folder, { recursive: true });
});

type Files = Record<string, Uint8Array<ArrayBuffer> | string>;
let count = 0;

/** Converts a model of these files; resolves to the new folder. */
async function convert(files: Files, options: ConvertOptions = {}): Promise<string> {
  const out = join(folder, `${count++}`);
  await convertModel(await modelSource(await modelFiles(files)), out, { onWarning: () => {}, ...options });
  return out;
}

/** The error that converting ends in. Nothing is left behind. */
async function refusal(files: Files, options: ConvertOptions = {}): Promise<string> {
  const before = await readdir(folder);
  const error = await convert(files, options).then(
    () => new Error("nothing was refused"),
    (reason: Error) => reason,
  );
  expect(error).toBeInstanceOf(ModelFormatError);
  expect(await readdir(folder)).toEqual(before);
  return error.message;
}

async function logitsOf(folder: string): Promise<Float32Array> {
  const model = await loadModel(await modelSource(folder), { device });
  using logits = allLogits(model, IDS);
  const values = logits.dataSync().slice();
  disposeModel(model);
  return values;
}

const expected = await safetensors("hub.safetensors");
const names = expected.names.filter((name) => name !== "logits");

describe.each(["zip", "legacy", "no-crc", "mixed.zip", "mixed.legacy", "strided.zip", "strided.legacy"])(
  "%s.bin",
  (kind) => {
    test("is converted to the numbers that PyTorch saved, and the logits that it computes", async () => {
      const out = await convert({ "pytorch_model.bin": await fixture(`${kind}.bin`) });
      const converted = parse(await readFile(join(out, "model.safetensors")));
      expect([...converted.names].sort()).toEqual([...names].sort());
      for (const name of names) {
        expect(converted.info(name).shape).toEqual(expected.info(name).shape);
        expect(await converted.readFloat32(name)).toEqual(await expected.readFloat32(name));
      }
      expect(largestDifference(await logitsOf(out), await expected.readFloat32("logits"))).toBeLessThan(1e-5);
    });

    test("keeps each tensor's dtype, or is kept in fewer bits", async () => {
      const bytes = await fixture(`${kind}.bin`);
      const out = await convert({ "pytorch_model.bin": bytes });
      const dtypes = new Set(
        names.map((_, i) => (kind.startsWith("mixed") ? ["F64", "F16", "BF16", "F32"][i % 4] : "F32")),
      );
      const file = parse(await readFile(join(out, "model.safetensors")));
      expect(new Set(names.map((name) => file.info(name).dtype))).toEqual(dtypes);
      const small = parse(
        await readFile(join(await convert({ "pytorch_model.bin": bytes }, { dtype: "bf16" }), "model.safetensors")),
      );
      for (const name of names) expect(await small.readFloat32(name)).toEqual(await expected.readFloat32(name));
      expect(small.info("wte.weight").dtype).toBe("BF16");
    });
  },
);

describe("gpt2 convert", () => {
  test("reads the shards of an index, whatever their formats", async () => {
    const index = "pytorch_model.bin.index.json";
    const shards = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
    const files = Object.fromEntries(
      await Promise.all([index, ...shards].map(async (name) => [name, await fixture(name)] as const)),
    );
    const out = await convert(files);
    expect(await logitsOf(out)).toEqual(
      await logitsOf(await convert({ "pytorch_model.bin": await fixture("zip.bin") })),
    );
    const { [shards[1]!]: _, ...incomplete } = files;
    expect(await refusal(incomplete)).toContain(`${shards[1]}: missing: the index names it as a shard`);
  });

  test("takes a state dict from among what a training script saved, and says so", async () => {
    const warnings: string[] = [];
    const onWarning = (warning: string) => warnings.push(warning);
    const files = { "training.pth": await fixture("training.pth") };
    const out = await convert(files, { file: "training.pth", onWarning });
    expect(largestDifference(await logitsOf(out), await expected.readFloat32("logits"))).toBeLessThan(1e-5);
    expect(warnings).toEqual(['training.pth: the state dict under "state_dict" is converted, and nothing else']);
  });

  test("reads from a folder, and leaves the file closed", async () => {
    const out = join(folder, "from-folder");
    const { "vocab.json": vocab, "merges.txt": merges } = await modelFiles({});
    const source = await modelSource(FIXTURES);
    const texts: Record<string, Blob | undefined> = { "vocab.json": vocab, "merges.txt": merges };
    const text = async (name: string) => (await texts[name]?.text()) ?? source.text(name);
    await convertModel({ ...source, text }, out, { file: "zip.bin" });
    expect(largestDifference(await logitsOf(out), await expected.readFloat32("logits"))).toBeLessThan(1e-5);
  });

  test.each([
    ["hostile.zip.bin", /it names (posix|nt)\.system: only tensors and dicts are read.*nothing is ever run/],
    ["hostile.legacy.bin", /it names (posix|nt)\.system: only tensors and dicts are read.*nothing is ever run/],
    [
      "module.bin",
      /it names torch\.nn\.modules\.linear\.Linear: only tensors and dicts are read; save the model's state_dict\(\)/,
    ],
    ["torchscript.pt", /a TorchScript program \(torch\.jit\.save\)/],
    ["tensor.bin", /expected a state dict, a dict of tensors by their names/],
    ["no-tensors.bin", /no tensors, alone or under "model", .*; its keys are "step", "losses"/],
    ["two-state-dicts.bin", /it has state dicts under "model" and "state_dict"/],
    ["pickle.bin", /a pickle, but not of torch\.save/],
    ["hub.safetensors", /neither of PyTorch's formats/],
  ])("refuses %s, and runs nothing", async (name, message) => {
    expect(await refusal({ "pytorch_model.bin": await fixture(name) })).toMatch(message);
    expect(somethingRan()).toBe(false);
  });

  test("says what else it found in place of the file", async () => {
    const at = async (content: string) => refusal({ "pytorch_model.bin": content });
    expect(await at("")).toBe("pytorch_model.bin: the file is empty");
    expect(await at("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")).toContain(
      'run "git lfs pull"',
    );
    expect(await at("<!DOCTYPE html><title>no</title>")).toContain("an HTML page, not the file");
  });
});

describe("a model of nanoGPT", () => {
  const logits = safetensors("nanogpt.logits.safetensors");

  test("is converted from what its training script saved: transposed, with zeros for biases", async () => {
    const warnings: string[] = [];
    const files = { "ckpt.pt": await fixture("ckpt.pt") };
    const source = await modelSource(Object.fromEntries([["ckpt.pt", new Blob([files["ckpt.pt"]])]]));
    const out = join(folder, "nanogpt");
    await convertModel(source, out, { from: "nanogpt", onWarning: (warning) => warnings.push(warning) });
    expect((await readdir(out)).sort()).toEqual(["config.json", "model.safetensors"]);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain("there is no tokenizer beside it");
    const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
    expect(config).toMatchObject({
      n_layer: 2,
      n_head: 2,
      n_embd: 8,
      n_positions: 8,
      vocab_size: 40,
      activation_function: "gelu",
    });
    expect(largestDifference(await logitsOf(out), await (await logits).readFloat32("ckpt"))).toBeLessThan(1e-5);
  });

  test("is converted from safetensors, with the config that lies beside it", async () => {
    const out = await convert({ "model.safetensors": await fixture("nanogpt.safetensors") }, { from: "nanogpt" });
    expect(largestDifference(await logitsOf(out), await (await logits).readFloat32("biased"))).toBeLessThan(1e-5);
    const small = await convert(
      { "model.safetensors": await fixture("nanogpt.safetensors") },
      { from: "nanogpt", dtype: "bf16" },
    );
    expect(await logitsOf(small)).toEqual(await logitsOf(out)); // bfloat16 holds these weights
  });

  test("needs the number of its heads from somewhere", async () => {
    const blob = new Blob([await fixture("nanogpt.safetensors")]);
    const source = await modelSource({ "model.safetensors": blob });
    const at = (options: ConvertOptions) =>
      convertModel(source, join(folder, "heads"), { from: "nanogpt", onWarning: () => {}, ...options });
    await expect(at({})).rejects.toThrow(/nHead: model\.safetensors does not tell the number of attention heads/);
    await expect(at({ nHead: 3 })).rejects.toThrow("n_embd 8 is not a multiple of n_head 3");
    await at({ nHead: 2 });
    const withConfig = await modelSource(
      await modelFiles({ "model.safetensors": await fixture("nanogpt.safetensors") }),
    );
    await expect(convertModel(withConfig, join(folder, "x"), { from: "nanogpt", nHead: 2 })).rejects.toThrow(
      "config.json has it already",
    );
    await expect(convertModel(withConfig, join(folder, "x"), { nHead: 2 })).rejects.toThrow(
      'nHead: is for models from "nanogpt" only',
    );
  });

  test("is told from one of the Hub", async () => {
    const message = await refusal({ "pytorch_model.bin": await fixture("zip.bin") }, { from: "nanogpt" });
    expect(message).toMatch(
      /tensor \S*h\.0\.attn\.c_attn\.weight is \[8, 24\]; nanoGPT's is \[24, 8\]: this is the Hub's layout/,
    );
  });
});
