import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { parse, serialize } from "safetensors-ts";
import { afterAll, describe, expect, test } from "vitest";
import { loadModel } from "../../src/checkpoint/load.ts";
import { type ModelFiles, modelSource } from "../../src/checkpoint/source/index.ts";
import { ModelFormatError } from "../../src/errors.ts";
import { Batch } from "../../src/model/batch.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import { forward, logits, type Model } from "../../src/model/model.ts";

const folder = new URL("../../../../weights/shakespeare/", import.meta.url);
const original = await readFile(new URL("model.safetensors", folder));
const configText = await readFile(new URL("config.json", folder), "utf8");
const device = createWasmBackend({ threads: 1, deterministic: true });
afterAll(() => device.dispose());

type Tensors = Record<string, { dtype: string; shape: readonly number[]; data: Uint8Array }>;

/** The Shakespeare model's tensors, to be tampered with. */
async function tensors(): Promise<Tensors> {
  const file = parse(original);
  const entries = file.names.map(async (name) => {
    const { dtype, shape, data } = await file.read(name);
    return [name, { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const write = (contents: Tensors): Uint8Array<ArrayBuffer> =>
  serialize(contents as unknown as Parameters<typeof serialize>[0], { format: "pt" });

function files(checkpoint: Record<string, Uint8Array<ArrayBuffer>>, config: object = {}): ModelFiles {
  return {
    "config.json": new Blob([JSON.stringify({ ...JSON.parse(configText), ...config })]),
    ...Object.fromEntries(Object.entries(checkpoint).map(([name, bytes]) => [name, new Blob([bytes])])),
  };
}

const load = async (
  from: Parameters<typeof modelSource>[0],
  onWarning: (warning: string) => void = expect.unreachable,
): Promise<Model> => loadModel(await modelSource(from), { device, onWarning });

/** The logits after a few tokens, as a fingerprint of the model. The model is disposed. */
function fingerprint(model: Model): Float32Array {
  try {
    using batch = new Batch(model, [{ ids: [1, 2, 3, 500] }]);
    using x = forward(model, batch);
    using scores = logits(model, x);
    return scores.dataSync();
  } finally {
    disposeModel(model);
  }
}

const expected = fingerprint(await load(folder));

describe("loadModel", () => {
  test("gives all memory back when the model is disposed", async () => {
    const before = device.info().usedBytes;
    const model = await load(folder);
    expect(device.info().usedBytes - before).toBeGreaterThan(957_184 * 4 - 1);
    fingerprint(model); // runs it, and disposes of it
    expect(device.info().usedBytes).toBe(before);
  });

  test("reads a path, a file URL, an HTTP folder and files alike", async () => {
    expect(fingerprint(await load(folder.pathname))).toEqual(expected);
    expect(fingerprint(await load(files({ "model.safetensors": write(await tensors()) })))).toEqual(expected);
    const { server, url } = await serveFolder();
    try {
      expect(fingerprint(await load(url))).toEqual(expected);
    } finally {
      server.close();
    }
  });

  test("reads names with the transformer prefix and skips mask buffers and unused heads", async () => {
    const renamed: Tensors = {};
    for (const [name, tensor] of Object.entries(await tensors())) renamed[`transformer.${name}`] = tensor;
    renamed["transformer.h.0.attn.bias"] = { dtype: "U8", shape: [1], data: Uint8Array.of(1) };
    renamed["transformer.h.0.attn.masked_bias"] = { dtype: "F32", shape: [], data: new Uint8Array(4) };
    renamed["lm_head.weight"] = renamed["transformer.wte.weight"]!;
    expect(fingerprint(await load(files({ "model.safetensors": write(renamed) })))).toEqual(expected);
  });

  test("reads the output layer of a model that has its own", async () => {
    const contents = await tensors();
    const { shape, dtype } = contents["wte.weight"]!;
    const zero = { dtype, shape, data: new Uint8Array(contents["wte.weight"]!.data.length) };
    const checkpoint = { "model.safetensors": write({ ...contents, "lm_head.weight": zero }) };
    const untied = fingerprint(await load(files(checkpoint, { tie_word_embeddings: false })));
    expect(untied).toEqual(new Float32Array(4 * 1024));
    const warnings: string[] = [];
    expect(fingerprint(await load(files(checkpoint), (warning) => warnings.push(warning)))).toEqual(untied);
    expect(warnings).toHaveLength(1);
  });

  test("reads bfloat16 and float16 weights as the floats they are", async () => {
    // Weights that bfloat16 holds exactly give the same model as those floats in F32.
    const [rounded, halves]: [Tensors, Tensors] = [{}, {}];
    for (const [name, { shape, data }] of Object.entries(await tensors())) {
      const words = new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
      const high = words.filter((_, i) => i % 2 === 1);
      halves[name] = { dtype: "BF16", shape, data: new Uint8Array(high.buffer) };
      rounded[name] = { dtype: "F32", shape, data: new Uint8Array(words.map((word, i) => (i % 2 ? word : 0)).buffer) };
    }
    const asFloats = fingerprint(await load(files({ "model.safetensors": write(rounded) })));
    expect(fingerprint(await load(files({ "model.safetensors": write(halves) })))).toEqual(asFloats);
  });

  test("keeps matrices in bfloat16 on request, rounded to nearest, from any source", async () => {
    const [rounded, doubles]: [Tensors, Tensors] = [{}, {}];
    for (const [name, { shape, data }] of Object.entries(await tensors())) {
      const floats = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
      doubles[name] = { dtype: "F64", shape, data: new Uint8Array(Float64Array.from(floats).buffer) };
      // Veltkamp's splitting leaves the upper 8 bits, rounded: by another way than the code's.
      const upper = (x: number): number =>
        Math.fround(Math.fround(65537 * x) - Math.fround(Math.fround(65537 * x) - x));
      rounded[name] = {
        dtype: "F32",
        shape,
        data: new Uint8Array(shape.length === 2 ? floats.map(upper).buffer : floats.buffer),
      };
    }
    const expected = fingerprint(await load(files({ "model.safetensors": write(rounded) })));
    const before = device.info().usedBytes;
    for (const source of [folder, files({ "model.safetensors": write(doubles) })]) {
      const model = await loadModel(await modelSource(source), { device, dtype: "bf16" });
      expect(device.info().usedBytes - before).toBeLessThan(0.55 * 4 * 957_184);
      expect(fingerprint(model)).toEqual(expected);
      expect(device.info().usedBytes).toBe(before);
    }
  });

  test("refuses a dtype that there is not", async () => {
    const options = { device, dtype: "f16" as "bf16" };
    await expect(loadModel(await modelSource(folder), options)).rejects.toThrow(
      'dtype: there are f32, bf16, int8; got "f16"',
    );
  });

  test("reads a checkpoint split into shards", async () => {
    const contents = Object.entries(await tensors());
    const shards = [contents.slice(0, 20), contents.slice(20)].map((part) => Object.fromEntries(part));
    const names = shards.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`);
    const weightMap = Object.fromEntries(
      shards.flatMap((shard, i) => Object.keys(shard).map((key) => [key, names[i]])),
    );
    const index = new TextEncoder().encode(JSON.stringify({ metadata: {}, weight_map: weightMap }));
    const all = files({
      "model.safetensors.index.json": index,
      [names[0]!]: write(shards[0]!),
      [names[1]!]: write(shards[1]!),
    });
    expect(fingerprint(await load(all))).toEqual(expected);
    const { [names[1]!]: _, ...incomplete } = all;
    await expect(load(incomplete)).rejects.toThrow(names[1]);
  });

  test("reports every tensor once, up to the whole", async () => {
    const seen: string[] = [];
    let last = { loaded: 0, total: 0 };
    const model = await loadModel(await modelSource(folder), {
      device,
      onProgress: (progress) => {
        seen.push(progress.tensor);
        last = progress;
      },
    });
    disposeModel(model);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(4 + 12 * 4);
    expect(last).toMatchObject({ loaded: 957_184, total: 957_184 });
  });

  describe("refuses, naming the tensor and leaving nothing allocated,", () => {
    test.each<[string, (contents: Tensors) => void, string]>([
      ["a missing tensor", (c) => delete c["h.2.mlp.c_fc.bias"], "tensor h.2.mlp.c_fc.bias is missing"],
      [
        "a misshapen one",
        (c) => (c["ln_f.bias"] = { ...c["ln_f.bias"]!, shape: [2, 64] }),
        "tensor ln_f.bias is [2, 64]; this config needs [128]",
      ],
      [
        "one too many in the stack",
        (c) => (c["h.4.ln_1.weight"] = c["h.3.ln_1.weight"]!),
        "unexpected tensor h.4.ln_1.weight",
      ],
      ["a dtype that is no float", (c) => (c["wpe.weight"] = { ...c["wpe.weight"]!, dtype: "I32" }), "wpe.weight"],
    ])("%s", async (_, tamper, message) => {
      const contents = await tensors();
      tamper(contents);
      const before = device.info().usedBytes;
      await expect(load(files({ "model.safetensors": write(contents) }))).rejects.toThrow(message);
      expect(device.info().usedBytes).toBe(before);
    });

    test("a file that is cut off", async () => {
      const before = device.info().usedBytes;
      const cut = new Uint8Array(original.subarray(0, 1_000_000));
      await expect(load(files({ "model.safetensors": cut }))).rejects.toThrow(
        /^model\.safetensors: the tensors end at byte 3833600/,
      );
      expect(device.info().usedBytes).toBe(before);
    });

    test("an abort halfway", async () => {
      const before = device.info().usedBytes;
      const stop = new AbortController();
      const loading = loadModel(await modelSource(folder), {
        device,
        signal: stop.signal,
        onProgress: ({ tensor }) => tensor === "h.1.ln_1.weight" && stop.abort(new Error("enough")),
      });
      await expect(loading).rejects.toThrow("enough");
      expect(device.info().usedBytes).toBe(before);
    });
  });

  test("says what is missing from a folder", async () => {
    await expect(load("no/such/folder")).rejects.toThrow("no/such/folder: there is no such folder");
    await expect(load(new URL("config.json", folder).pathname)).rejects.toThrow(/config\.json: not a folder/);
    await expect(load({})).rejects.toThrow("config.json: there is no such file");
    const noWeights = load(files({}));
    await expect(noWeights).rejects.toThrow(ModelFormatError);
    await expect(noWeights).rejects.toThrow("there is neither model.safetensors nor model.safetensors.index.json");
  });
});

/** The Shakespeare model over HTTP, with the range requests that any static file server understands. */
async function serveFolder(): Promise<{ server: Server; url: string }> {
  const server = createServer(async (request, response) => {
    const name = request.url!.slice("/model/".length);
    const body = await readFile(new URL(name, folder)).catch(() => undefined);
    if (!body) return response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (!range) return response.writeHead(200, { "content-length": body.length }).end(body);
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), body.length - 1)];
    response.writeHead(206, {
      "content-range": `bytes ${start}-${end}/${body.length}`,
      "content-length": end - start + 1,
    });
    return response.end(body.subarray(start, end + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model` };
}
