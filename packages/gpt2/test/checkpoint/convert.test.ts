import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createWasmBackend, type MatrixEncoding, OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { parse, SafetensorsError, serialize } from "safetensors-ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convertModel } from "../../src/checkpoint/convert/convert.ts";
import { loadModel } from "../../src/checkpoint/load.ts";
import { type ModelFiles, modelSource } from "../../src/checkpoint/source/index.ts";
import { ModelFormatError } from "../../src/errors.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import type { Model } from "../../src/model/model.ts";
import { canBeUnprivileged, unprivileged } from "../support/unprivileged.ts";

const shipped = fileURLToPath(new URL("../../../../weights/shakespeare", import.meta.url));
const device = createWasmBackend({ threads: 1, deterministic: true });
const folder = await mkdtemp(join(tmpdir(), "gpt2-convert-"));
const converted = { int8: join(folder, "int8"), bf16: join(folder, "bf16") };
const PARTS = ["config.json", "merges.txt", "model.safetensors", "vocab.json"];

beforeAll(async () => {
  for (const dtype of ["int8", "bf16"] as const)
    await convertModel(await modelSource(shipped), converted[dtype], { dtype });
});
afterAll(async () => {
  device.dispose();
  await rm(folder, { recursive: true });
});

/** The SHA-256 of each weight of a model as float32. The model is disposed. */
async function weightsOf(where: string | ModelFiles, dtype?: MatrixEncoding): Promise<string[]> {
  const model = await loadModel(await modelSource(where), { device, dtype });
  const weights = allWeights(model).map((tensor) => sha256(tensor.dataSync().slice()));
  disposeModel(model);
  return weights;
}

function sha256(data: Uint8Array | Float32Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function allWeights({ weights: { wte, wpe, h, lnF } }: Model) {
  const layers = h.flatMap(({ ln1, attn, ln2, mlp }) => [ln1, attn.cAttn, attn.cProj, ln2, mlp.cFc, mlp.cProj]);
  return [wte.transpose(), wpe.transpose(), ...[...layers, lnF].flatMap(({ weight, bias }) => [weight, bias])];
}

const open = async (dtype: "int8" | "bf16") => parse(await readFile(join(converted[dtype], "model.safetensors")));

test.skipIf(!canBeUnprivileged)("a model is not converted into a folder that may not be written to", async () => {
  await chmod(folder, 0o755);
  const locked = join(folder, "locked");
  await mkdir(locked, { mode: 0o555 });
  const source = await modelSource(shipped);
  for (const out of [join(locked, "new"), locked]) {
    const attempt = unprivileged(() => convertModel(source, out, { dtype: "int8" }));
    await expect(attempt).rejects.toThrow(`no folder can be made in ${locked} (EACCES)`);
  }
  expect(await readdir(locked)).toEqual([]);
  await rm(locked, { recursive: true });
});

describe("a converted model", () => {
  test.each(["int8", "bf16"] as const)("in %s loads to the very bits that the original does in it", async (dtype) => {
    const expected = await weightsOf(shipped, dtype);
    for (const chosen of [undefined, dtype]) expect(await weightsOf(converted[dtype], chosen)).toEqual(expected);
    const original = await weightsOf(shipped);
    expect(expected).not.toEqual(original);
  });

  test("loads in every other dtype as the numbers that it holds", async () => {
    const held = await weightsOf(converted.int8, "int8");
    expect(await weightsOf(converted.int8, "f32")).toEqual(held);
    expect(await weightsOf(converted.bf16, "f32")).toEqual(await weightsOf(converted.bf16, "bf16"));
    const again = join(folder, "again");
    await convertModel(await modelSource(converted.int8), again, { dtype: "bf16" });
    expect(await weightsOf(again)).toEqual(await weightsOf(converted.int8, "bf16"));
  });

  test("has its config and tokenizer, and one checkpoint that says what it is", async () => {
    for (const out of Object.values(converted)) {
      expect((await readdir(out)).sort()).toEqual(PARTS);
      for (const name of PARTS.filter((part) => part !== "model.safetensors")) {
        expect(await readFile(join(out, name))).toEqual(await readFile(join(shipped, name)));
      }
    }
    expect((await open("int8")).metadata).toEqual({ format: "pt", "gpt2-ts.dtype": "int8", "gpt2-ts.group": "64" });
    expect((await open("bf16")).metadata).toEqual({ format: "pt", "gpt2-ts.dtype": "bf16" });
  });

  test("in int8 is, to anyone who reads it as documented, within half a scale of the original", async () => {
    const original = parse(await readFile(join(shipped, "model.safetensors")));
    const file = await open("int8");
    for (const name of original.names) {
      const { shape, dtype } = file.info(name);
      const weights = await original.readFloat32(name);
      if (shape.length === 1) {
        expect(await file.readFloat32(name)).toEqual(weights);
        continue;
      }
      expect(dtype).toBe("I8");
      const integers = (await file.read(name)).data as Int8Array;
      const scales = await file.readFloat32(`${name}.scales`);
      const [rows, columns] = shape as readonly [number, number];
      const isTable = /^w[tp]e/.test(name);
      const width = isTable ? Math.ceil(columns / 64) : columns;
      const largest = new Map<number, number>();
      for (let i = 0; i < weights.length; i++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const at = isTable ? row * width + Math.floor(column / 64) : Math.floor(row / 64) * width + column;
        const integer = integers[i]!;
        if (Math.abs(integer * scales[at]! - weights[i]!) > 0.5001 * scales[at]!) throw new Error(`${name} ${i}`);
        largest.set(at, Math.max(largest.get(at) ?? 0, Math.abs(integer)));
      }
      expect(largest.size).toBe(scales.length);
      expect(scales.length).toBe(isTable ? rows * width : Math.ceil(rows / 64) * columns);
      expect(new Set(largest.values())).toEqual(new Set([127]));
    }
  });
});

describe("convertModel", () => {
  const refusal = async (
    out: string,
    options: Partial<Parameters<typeof convertModel>[2]>,
    where: string | ModelFiles = shipped,
  ) =>
    convertModel(await modelSource(where), out, { dtype: "int8", ...options }).then(
      () => "nothing was refused",
      (error: Error) => error,
    );

  test("refuses to overwrite a model, unless told to; other files stay", async () => {
    const out = join(folder, "existing");
    await mkdir(out);
    await writeFile(join(out, "notes.txt"), "mine");
    await convertModel(await modelSource(shipped), out, { dtype: "bf16" });
    const error = await refusal(out, {});
    expect(error).toBeInstanceOf(OptionError);
    expect((error as Error).message).toContain("config.json exists; overwrite would replace it");
    expect(parse(await readFile(join(out, "model.safetensors"))).metadata?.["gpt2-ts.dtype"]).toBe("bf16");
    await convertModel(await modelSource(shipped), out, { dtype: "int8", overwrite: true });
    const [now, wanted] = await Promise.all([out, converted.int8].map((at) => readFile(join(at, "model.safetensors"))));
    expect(now!.equals(wanted!)).toBe(true);
    expect((await readdir(out)).sort()).toEqual([...PARTS, "notes.txt"].sort());
  });

  test("refuses a dtype that there is not or that the model has, and an out that is no folder", async () => {
    expect(String(await refusal(join(folder, "x"), { dtype: "f32" as "bf16" }))).toContain(
      "dtype: there are bf16, int8",
    );
    expect(String(await refusal(join(folder, "x"), {}, converted.int8))).toContain("is int8 already");
    for (const overwrite of [false, true]) {
      expect(String(await refusal(join(converted.int8, "vocab.json"), { overwrite }))).toContain("is not a folder");
    }
    expect(String(await refusal("", {}))).toContain("out: expected the path of a folder");
    const nowhere = String(await refusal(join(folder, "missing", "x"), {}));
    expect(nowhere).toContain(`out: no folder can be made in ${join(folder, "missing")} (ENOENT)`);
    const inFile = join(converted.int8, "vocab.json");
    expect(String(await refusal(join(inFile, "x"), {}))).toContain(`out: no folder can be made in ${inFile} (ENOTDIR)`);
  });

  // /dev/shm is a disk of its own on Linux: no file can be renamed onto it.
  test.skipIf(!existsSync("/dev/shm"))("fills a folder that is a disk of its own, or a link to one", async () => {
    const elsewhere = await mkdtemp("/dev/shm/convert-");
    try {
      const link = join(folder, "link");
      await symlink(elsewhere, link);
      await convertModel(await modelSource(shipped), link, { dtype: "bf16" });
      expect((await readdir(elsewhere)).sort()).toEqual([...PARTS].sort());
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  test("leaves nothing behind when it is interrupted or the model is broken", async () => {
    const out = join(folder, "never");
    const before = (await readdir(folder)).sort();
    const stop = new AbortController();
    const onProgress = ({ done, total }: { done: number; total: number }) =>
      done > total / 2 && stop.abort(new Error("enough"));
    expect(String(await refusal(out, { signal: stop.signal, onProgress }))).toContain("enough");
    const { "vocab.json": _, ...incomplete } = await filesOf(shipped);
    expect(String(await refusal(out, {}, incomplete))).toContain("vocab.json: there is no such file");
    const contents = await contentsOf(shipped);
    new Float32Array(contents["h.1.mlp.c_fc.weight"]!.data.buffer)[7] = Number.NaN;
    const broken = { ...(await filesOf(shipped)), "model.safetensors": blob(contents, {}) };
    expect(String(await refusal(out, {}, broken))).toContain(
      "tensor h.1.mlp.c_fc.weight has weights that are not finite",
    );
    expect((await readdir(folder)).sort()).toEqual(before);
  });
});

type Contents = Record<string, { dtype: string; shape: readonly number[]; data: Uint8Array }>;

async function contentsOf(where: string): Promise<Contents> {
  const file = parse(await readFile(join(where, "model.safetensors")));
  const contents: Contents = {};
  for (const name of file.names) {
    const { dtype, shape, data } = await file.read(name);
    contents[name] = { dtype, shape, data: new Uint8Array(data.buffer) };
  }
  return contents;
}

async function filesOf(where: string): Promise<ModelFiles> {
  const files = PARTS.map(async (name) => [name, new Blob([await readFile(join(where, name))])] as const);
  return Object.fromEntries(await Promise.all(files));
}

const blob = (contents: Contents, metadata: Record<string, string>): Blob =>
  new Blob([serialize(contents as unknown as Parameters<typeof serialize>[0], metadata)]);

describe("loading a converted model refuses, naming what is wrong and leaving nothing allocated,", () => {
  const scheme = { "gpt2-ts.dtype": "int8", "gpt2-ts.group": "64" };
  const scales = "h.2.attn.c_attn.weight.scales";
  const setScale = (value: number) => (contents: Contents) => {
    new Float32Array(contents[scales]!.data.buffer)[5] = value;
  };

  test.each<[string, (contents: Contents, metadata: Record<string, string>) => unknown, string]>([
    [
      "an unknown scheme",
      (_, m) => (m["gpt2-ts.dtype"] = "int4"),
      'metadata gpt2-ts.dtype is "int4"; known: "bf16", "int8"',
    ],
    ["another group", (_, m) => (m["gpt2-ts.group"] = "32"), 'metadata gpt2-ts.group is "32"; expected "64"'],
    ["no group", (_, m) => delete m["gpt2-ts.group"], 'metadata gpt2-ts.group is missing; expected "64"'],
    ["missing scales", (c) => delete c[scales], `tensor ${scales} is missing`],
    [
      "misshapen scales",
      (c) => (c[scales] = { ...c[scales]!, shape: [384, 2] }),
      `tensor ${scales} is [384, 2]; this config needs [2, 384]`,
    ],
    [
      "a scale that is NaN",
      setScale(Number.NaN),
      `tensor ${scales} has NaN as number 5; scales are finite and at least 0`,
    ],
    ["an infinite scale", setScale(Infinity), `tensor ${scales} has Infinity as number 5`],
    ["a negative scale", setScale(-0.5), `tensor ${scales} has -0.5 as number 5`],
    [
      "unsigned integers",
      (c) => (c["wpe.weight"] = { ...c["wpe.weight"]!, dtype: "U8" }),
      "tensor wpe.weight is U8; expected I8 in a checkpoint converted to int8",
    ],
    [
      "scales for a vector",
      (c) => (c["ln_f.weight.scales"] = c["ln_f.weight"]!),
      "unexpected tensor ln_f.weight.scales",
    ],
    ["integers without a scheme", (_, m) => delete m["gpt2-ts.dtype"], "unexpected tensor"],
  ])("%s", async (_, tamper, message) => {
    const contents = await contentsOf(converted.int8);
    const metadata: Record<string, string> = { ...scheme };
    tamper(contents, metadata);
    const before = device.info().usedBytes;
    const files = { ...(await filesOf(shipped)), "model.safetensors": blob(contents, metadata) };
    for (const dtype of [undefined, "f32", "bf16"] as const) {
      const loading = loadModel(await modelSource(files), { device, dtype });
      await expect(loading).rejects.toThrow(message);
      await expect(loading).rejects.toBeInstanceOf(ModelFormatError);
      expect(device.info().usedBytes).toBeLessThanOrEqual(before); // what died before may be given back meanwhile
    }
  });

  test("whatever is done to its header or its scales, or loads it", async () => {
    const original = new Uint8Array(await readFile(join(converted.int8, "model.safetensors")));
    const headerBytes = Number(new DataView(original.buffer).getBigUint64(0, true)) + 8;
    const config = (await filesOf(shipped))["config.json"]!;
    const before = device.info().usedBytes;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: headerBytes + 60_000 }), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 3,
        }),
        async (changes) => {
          const bytes = original.slice();
          for (const [at, value] of changes) bytes[at] = value;
          const files = { "config.json": config, "model.safetensors": new Blob([bytes]) };
          const error = await modelSource(files)
            .then((source) => loadModel(source, { device }))
            .then(disposeModel, (reason: unknown) => reason);
          if (error !== undefined) refused++;
          expect(error === undefined || error instanceof ModelFormatError || error instanceof SafetensorsError).toBe(
            true,
          );
          expect(device.info().usedBytes).toBeLessThanOrEqual(before); // what died before may be given back meanwhile
        },
      ),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(10);
  });
});
