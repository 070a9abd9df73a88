import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, createWasmBackend, device } from "@gpt2-ts/tensor";
import { parse, serialize } from "safetensors-ts";
import { afterAll, describe, expect, test } from "vitest";
import { convertModel } from "../../src/checkpoint/convert/convert.ts";
import { type LoadModelOptions, loadModel } from "../../src/checkpoint/load.ts";
import { type ModelFiles, modelSource } from "../../src/checkpoint/source/index.ts";
import { ModelFormatError } from "../../src/errors.ts";
import { activationNames } from "../../src/model/activation.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import { allLogits } from "../../src/model/inspect.ts";
import { largestDifference } from "../support/models.ts";

// Computed by oracle/make_checkpoints.py with Hugging Face transformers.
const folder = new URL("oracle/checkpoints/", import.meta.url);
interface Kind {
  readonly config: string;
  /** Tensors added: `other`, or a copy of one of the model's. */
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}
const { ids, kinds }: { readonly ids: readonly number[]; readonly kinds: Readonly<Record<string, Kind>> } = JSON.parse(
  await readFile(new URL("kinds.json", folder), "utf8"),
);

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}
type Tensors = Readonly<Record<string, Stored>>;

async function tensorsOf(file: string): Promise<Tensors> {
  const checkpoint = parse(await readFile(new URL(file, folder)));
  const entries = checkpoint.names.map(async (name) => {
    const { dtype, shape, data } = await checkpoint.read(name);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return [name, { dtype, shape, data: bytes }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
const model = await tensorsOf("model.safetensors");
const other = (await tensorsOf("lm_head.safetensors"))["lm_head.weight"]!;
const expected = await tensorsOf("logits.safetensors");
const logitsOf = (kind: string): Float32Array => {
  const { data } = expected[kind]!;
  return new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
};

function tensorsOfKind({ add = {}, remove = [] }: Kind): Tensors {
  const added = Object.entries(add).map(([to, what]) => [to, what === "other" ? other : model[what]!] as const);
  const all = Object.entries({ ...model, ...Object.fromEntries(added) });
  return Object.fromEntries(all.filter(([name]) => !remove.includes(name)));
}

function files(config: string, tensors: Tensors): ModelFiles {
  const bytes = serialize(tensors as unknown as Parameters<typeof serialize>[0], { format: "pt" });
  return { "config.json": new Blob([config]), "model.safetensors": new Blob([bytes]) };
}

const wasm = createWasmBackend({ threads: 1 });
afterAll(() => wasm.dispose());

async function run(
  source: Parameters<typeof modelSource>[0],
  options: LoadModelOptions = {},
): Promise<{ logits: Float32Array; warnings: string[] }> {
  const warnings: string[] = [];
  const loaded = await loadModel(await modelSource(source), {
    device: wasm,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  try {
    using logits = allLogits(loaded, ids);
    return { logits: logits.dataSync(), warnings };
  } finally {
    disposeModel(loaded);
  }
}
const runKind = (kind: string, options?: LoadModelOptions) =>
  run(files(kinds[kind]!.config, tensorsOfKind(kinds[kind]!)), options);

const untied = "lm_head.weight differs from wte.weight, though the config ties them";
const head = "there is score.weight beside the language model; it is not used";
const warned: Readonly<Record<string, string>> = {
  "tied, with another output layer": untied,
  "beside a classification head": head,
};

const devices: readonly [string, Backend][] = [
  ["wasm", wasm],
  ["reference", device("reference")],
];
describe.each(devices)("on %s the logits are those of transformers", (_, device) => {
  test.each(Object.keys(kinds))("%s", async (kind) => {
    const { logits, warnings } = await runKind(kind, { device });
    expect(largestDifference(logits, logitsOf(kind))).toBeLessThan(kind === "gelu_fast" ? 2e-5 : 1e-5);
    expect(warnings).toEqual(kind in warned ? [expect.stringContaining(warned[kind]!)] : []);
  });
});

test("every activation that a config may name was computed by transformers", () => {
  expect(Object.keys(activationNames).filter((name) => !(name in kinds))).toEqual([]);
});

describe("names", () => {
  const { config } = kinds["as saved"]!;
  const renamed = (rename: (name: string) => string): ModelFiles =>
    files(config, Object.fromEntries(Object.entries(model).map(([name, tensor]) => [rename(name), tensor])));
  const bare = (name: string): string => name.replace(/^transformer\./, "");

  test.each(["", "module.", "_orig_mod.", "module._orig_mod.transformer.", "_orig_mod.module.", "transformer.module."])(
    "are read behind the prefix %j",
    async (prefix) => {
      const { logits } = await run(renamed((name) => prefix + bare(name)));
      expect(logits).toEqual((await runKind("as saved")).logits);
    },
  );

  test("that are one behind two prefixes are refused", async () => {
    const twice = { ...model, "module.wte.weight": model["transformer.wte.weight"]! };
    await expect(run(files(config, twice))).rejects.toThrow(
      /tensors (transformer|module)\.wte\.weight and (transformer|module)\.wte\.weight are both wte\.weight/,
    );
  });

  test("of 200 kB with control characters come shortened and escaped", async () => {
    const name = `h.\u001b[31m\u009b\u202e${"x".repeat(200_000)}`;
    const error = await run(files(config, { ...model, [name]: other })).catch((error: unknown) => error as Error);
    expect(error).toBeInstanceOf(ModelFormatError);
    expect((error as Error).message).toMatch(/unexpected tensor h\.\\u001b\[31m\\u009b\\u202exx+…: /);
    expect((error as Error).message.length).toBeLessThan(300);
  });
});

describe("are refused:", () => {
  const base = JSON.parse(kinds["as saved"]!.config) as object;
  const refused = (config: object, tensors: Tensors): Promise<unknown> =>
    run(files(JSON.stringify({ ...base, ...config }), tensors));

  test("nanoGPT's matrices, which are [out, in], with a word on how to convert them", async () => {
    const transposed = Object.fromEntries(
      Object.entries(model).map(([name, tensor]) => [
        `_orig_mod.${name}`,
        /h\.\d+\..*c_(attn|fc|proj)\.weight/.test(name) ? { ...tensor, shape: [...tensor.shape].reverse() } : tensor,
      ]),
    );
    await expect(refused({}, transposed)).rejects.toThrow(
      "tensor _orig_mod.transformer.h.0.attn.c_attn.weight is [48, 16]: this is nanoGPT's layout; " +
        "convert it: gpt2 convert --from nanogpt --model FOLDER --out NEW_FOLDER",
    );
  });

  test("sizes that the file cannot have, without a look at each layer", async () => {
    await expect(refused({ n_layer: 1e9 }, model)).rejects.toThrow(
      "there are 28 tensors; the n_layer of this config, 1000000000, needs more",
    );
    await expect(refused({ n_layer: 3 }, model)).rejects.toThrow("the n_layer of this config, 3, needs more");
    await expect(refused({ n_layer: 1 }, model)).rejects.toThrow("unexpected tensor transformer.h.1.");
    for (const field of ["n_positions", "vocab_size", "n_inner"]) {
      await expect(refused({ [field]: 2 ** 52 }, model)).rejects.toThrow("this config needs [");
    }
    await expect(refused({ n_embd: 2 ** 50, n_head: 2 ** 49 }, model)).rejects.toThrow("this config needs [");
  });

  test("an output layer of another shape, and a missing one that the config asks for", async () => {
    const narrow = { ...other, shape: [32, 32] };
    await expect(refused({}, { ...model, "lm_head.weight": narrow })).rejects.toThrow(
      "tensor lm_head.weight is [32, 32]; this config needs [64, 16]",
    );
    await expect(refused({ tie_word_embeddings: false }, model)).rejects.toThrow(
      "tensor lm_head.weight is missing; tie_word_embeddings of this config is false",
    );
  });
});

describe("kept in fewer bits", () => {
  test.each(["gelu_new", "gelu", "silu", "quick_gelu", "tied, with another output layer"])("%s", async (kind) => {
    for (const [dtype, most] of [
      ["bf16", 0.15],
      ["int8", 0.2],
    ] as const) {
      const { logits } = await runKind(kind, { dtype });
      const difference = largestDifference(logits, logitsOf(kind));
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(most);
    }
  });

  test.each(["bf16", "int8"] as const)("an output layer that differs is converted to %s, too", async (dtype) => {
    const kind = kinds["tied, with another output layer"]!;
    const texts = { "vocab.json": new Blob(["{}"]), "merges.txt": new Blob(["#version: 0.2\n"]) };
    const source = { ...files(kind.config, tensorsOfKind(kind)), ...texts };
    const place = await mkdtemp(join(tmpdir(), "kinds-"));
    try {
      const warnings: string[] = [];
      const onWarning = (warning: string): void => void warnings.push(warning);
      await convertModel(await modelSource(source), join(place, "out"), { dtype, onWarning });
      const converted = await run(join(place, "out"));
      expect([...warnings, ...converted.warnings]).toEqual([
        expect.stringContaining(untied),
        expect.stringContaining(untied),
      ]);
      expect(converted.logits).toEqual((await run(source, { dtype })).logits);

      await writeFile(join(place, "out", "config.json"), kinds["an output layer of its own"]!.config);
      expect((await run(join(place, "out"))).warnings).toEqual([]);
    } finally {
      await rm(place, { recursive: true });
    }
  });
});
