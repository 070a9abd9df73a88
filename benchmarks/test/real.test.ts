import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, open as openFile, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { GPT2 } from "@gpt2-ts/gpt2";
import { type TensorInput, writeFile as writeTensors } from "safetensors-ts";
import { get_encoding } from "tiktoken";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HubServer, sha256 } from "../../packages/gpt2/test/hub/hub-server.ts";
import { readManifest, verifiedTensors } from "../src/checkpoint.ts";
import { processorOf } from "../src/harness/processor.ts";
import { BENCHMARKS, REFERENCE } from "../src/paths.ts";
import { benchReal } from "../src/real/command.ts";
import { type ReferenceFile, readPublished } from "../src/real/reference.ts";
import type { RealResult } from "../src/real/result.ts";
import { syntheticConfig } from "../src/synthetic.ts";
import { writeSyntheticVocabulary } from "../src/synthetic-tokenizer.ts";
import { realTable } from "../src/tables/real-table.ts";

// No machine that runs these tests has the real weights: a synthetic model and its own reference take their places.
const FILES = ["config.json", "model.safetensors", "vocab.json", "merges.txt"];
const PROMPTS = ["Data visualization", "As the spaceship", "On the deserted planet"];
const EVERY = 2;

let root: string;
let model: string;
let reference: string;
let good: ReferenceFile;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "bench-real-"));
  model = join(root, "model");
  reference = join(root, "reference.json");
  await writeModel(model);
  good = await writeReference(model, reference);
});
afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

async function writeModel(
  folder: string,
  change: (tensors: Map<string, TensorInput<Float32Array>>) => void = () => {},
) {
  await mkdir(folder, { recursive: true });
  const tensors = verifiedTensors("synthetic-tiny", await readManifest("synthetic-tiny"));
  change(tensors);
  await writeFile(join(folder, "config.json"), JSON.stringify(syntheticConfig("synthetic-tiny")));
  await writeTensors(join(folder, "model.safetensors"), tensors);
  await writeSyntheticVocabulary(folder);
}

/** What the plain loops of the device `reference` compute. */
async function writeReference(folder: string, file: string): Promise<ReferenceFile> {
  using gpt2 = await GPT2.load(folder, { device: "reference" });
  const logits = new Map<string, TensorInput>();
  const prompts = [];
  for (const [n, text] of PROMPTS.entries()) {
    using context = gpt2.context();
    const ids = gpt2.tokenizer.encode(text);
    const all = await context.append(ids);
    const kept = all.filter((_, token) => token % EVERY === n % EVERY);
    logits.set(`P${n}.logits`, { dtype: "F32", shape: [kept.length], data: kept });
    prompts.push({ text, ids, likeliest: [...all.keys()].sort((a, b) => all[b]! - all[a]!).slice(0, 5) });
  }
  const promptIds = gpt2.tokenizer.encode("The dog");
  const { ids } = await gpt2.generate(promptIds, { maxTokens: 18, temperature: 0, stopAtEndOfText: false });
  const { n_layer, n_head, n_embd, n_positions, vocab_size } = syntheticConfig("synthetic-tiny");
  const written: ReferenceFile = {
    title: "synthetic-tiny",
    shape: { n_layer, n_head, n_embd, n_positions, vocab_size },
    lastLogits: { source: "this test", tolerance: 1e-4, every: EVERY, prompts },
    greedy: [{ source: "this test", prompt: "The dog", promptIds, ids }],
    loss: { least: 0, most: 100 },
  };
  await writeFile(file, JSON.stringify(written));
  await writeTensors(file.replace(".json", ".safetensors"), logits);
  return written;
}

/** The same logits with another JSON file beside them. */
async function otherReference(change: Partial<ReferenceFile>): Promise<string> {
  const file = join(await mkdtemp(join(root, "reference-")), "reference.json");
  await writeFile(file, JSON.stringify({ ...good, ...change }));
  await copyFile(reference.replace(".json", ".safetensors"), file.replace(".json", ".safetensors"));
  return file;
}

async function bench(...args: string[]): Promise<{ status: number; out: string[]; err: string[] }> {
  const out = vi.spyOn(console, "log").mockReturnValue();
  const err = vi.spyOn(console, "error").mockReturnValue();
  vi.spyOn(process.stderr, "write").mockReturnValue(true); // progress
  try {
    const status = await benchReal(args);
    return { status, out: out.mock.calls.map(String), err: err.mock.calls.map(String) };
  } finally {
    vi.restoreAllMocks();
  }
}

describe("a model folder", () => {
  test("that computes what is published passes, and its perplexity and the cost of fewer bits are printed", async () => {
    const { status, out, err } = await bench("--model", model, "--reference", reference, "--quick");
    expect({ status, err }).toEqual({ status: 0, err: [] });
    for (const text of PROMPTS) expect(out.join("\n")).toContain(`logits after "${text}": max `);
    expect(out.join("\n")).toContain('greedy after "The dog": 18 of 18 tokens as published');
    const [f32, bf16, int8] = ["f32:", "bf16, cache f32:", "int8, cache bf16:"].map((kept) =>
      out.find((line) => line.includes(`, ${kept} `)),
    );
    expect(f32).toMatch(/Alice.*f32: perplexity \d+\.\d+ \(\d+\.\d+ nats a token\) in contexts of up to 64 tokens/);
    expect(bf16).toMatch(/1024 positions, .*KL mean \d\.\de-\d/);
    expect(int8).toMatch(/1024 positions, .*KL mean \d\.\de-\d/);
    expect(out.at(-1)).toContain("model agrees with what is published about synthetic-tiny");
  });

  test("with one weight changed fails, and says which prompt is off by how much", async () => {
    const changed = join(root, "changed");
    await writeModel(changed, (tensors) => {
      tensors.get("h.1.mlp.c_proj.bias")!.data[5]! += 0.01;
    });
    const { status, err } = await bench("--model", changed, "--reference", reference, "--quick");
    expect(status).toBe(1);
    const off = err.filter((line) =>
      /^FAILED: after ".*": a logit is 0\.0\d+ from the published one, above 0\.0001$/.test(line),
    );
    expect(off).toHaveLength(PROMPTS.length);
  });

  test("with other tokens, another continuation and a perplexity out of range fails with a line for each", async () => {
    const { lastLogits, greedy } = good;
    const [first, ...others] = lastLogits.prompts;
    const [continuation] = greedy;
    const other = await otherReference({
      lastLogits: {
        ...lastLogits,
        prompts: [{ ...first!, text: "Something else", likeliest: first!.likeliest.toSpliced(4, 1, 256) }, ...others],
      },
      greedy: [{ ...continuation!, prompt: "The cat", ids: continuation!.ids.toSpliced(3, 1, 256) }],
      loss: { least: 0, most: 0.5 },
    });
    const { status, err } = await bench("--model", model, "--reference", other, "--quick");
    expect(status).toBe(1);
    expect(err).toEqual([
      'FAILED: the tokenizer gives other ids for "Something else"',
      'FAILED: after "Something else": other tokens are the likeliest',
      'FAILED: the tokenizer gives other ids for "The cat"',
      'FAILED: after "The cat": greedy decoding differs at token 4 of 18',
      expect.stringMatching(/^FAILED: Alice.*: \d+\.\d+ nats a token, where a language model has 0 to 0\.5$/),
    ]);
  });

  test("of another shape is not compared", async () => {
    const other = await otherReference({ shape: { ...good.shape, n_layer: 12, n_embd: 768 } });
    const { status, err } = await bench("--model", model, "--reference", other);
    expect(status).toBe(2);
    expect(err).toEqual([
      `bench:real: ${model} is not synthetic-tiny: n_layer is 2 where 12 was expected, n_embd is 64 where 768 was expected`,
    ]);
  });

  test("that is not there, or half there, is an error on one line", async () => {
    const half = join(root, "half");
    await mkdir(half);
    for (const file of FILES) await copyFile(join(model, file), join(half, file));
    const weights = await openFile(join(half, "model.safetensors"), "r+");
    await weights.truncate(100_000);
    await weights.close();
    for (const folder of [half, join(root, "nowhere")]) {
      const { status, err } = await bench("--model", folder, "--reference", reference);
      expect(status).toBe(2);
      expect(err).toEqual([expect.stringMatching(/^bench:real: .*(half|nowhere)[^\n]*$/)]);
    }
  });

  test("an unknown option is an error on one line", async () => {
    const { status, err } = await bench("--modle", model);
    expect(status).toBe(2);
    expect(err).toEqual([expect.stringMatching(/^bench:real: [^\n]*--modle[^\n]*$/)]);
  });
});

describe("a model of the Hub", () => {
  let server: HubServer;
  let home: string;

  beforeEach(async () => {
    server = await HubServer.start();
    home = await mkdtemp(join(root, "home-"));
    for (const name of Object.keys(process.env).filter((name) => /^HF_|^HUGGING/.test(name)))
      vi.stubEnv(name, undefined);
    vi.stubEnv("HF_HOME", home);
    vi.stubEnv("HF_ENDPOINT", server.url);
    const contents = FILES.map(
      async (file): Promise<[string, Uint8Array]> => [file, await readFile(join(model, file))],
    );
    server.commit("openai-community/gpt2", Object.fromEntries(await Promise.all(contents)));
    server.renamed.set("gpt2", "openai-community/gpt2");
  });
  afterEach(() => server.stop());

  /** Of the weights that are being downloaded. */
  async function arrivedBytes(): Promise<number> {
    const blob = sha256(await readFile(join(model, "model.safetensors")));
    const names = await readdir(home, { recursive: true });
    const part = names.find((name) => basename(name).startsWith(blob) && name.endsWith(".incomplete"));
    return part === undefined ? 0 : (await stat(join(home, part))).size;
  }

  const weightTransfers = () => server.transfers("model.safetensors").filter((request) => request.server === "cdn");

  test("is downloaded by its name, once; afterwards no network is needed", async () => {
    const first = await bench("--reference", reference, "--quick");
    expect(first).toMatchObject({ status: 0, err: [] });
    expect(weightTransfers()).toHaveLength(1);
    await server.stop();
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await bench("--reference", reference, "--quick")).toEqual(first);
  });

  test("of another shape is told by its config, before its weights are downloaded", async () => {
    const { status, err } = await bench(); // the real reference
    expect(status).toBe(2);
    expect(err).toEqual([
      expect.stringMatching(/^bench:real: gpt2 is not GPT-2 small: n_layer is 2 where 12 was expected, /),
    ]);
    expect(weightTransfers()).toHaveLength(0);
  });

  test("that is neither on the Hub nor in the cache is an error on one line", async () => {
    const unknown = await bench("--model", "nobody/nothing", "--reference", reference);
    expect(unknown.status).toBe(2);
    expect(unknown.err).toEqual([expect.stringMatching(/^bench:real: nobody\/nothing: [^\n]*$/)]);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    const offline = await bench("--reference", reference);
    expect(offline.status).toBe(2);
    expect(offline.err).toEqual([expect.stringMatching(/^bench:real: gpt2: [^\n]*offline[^\n]*$/i)]);
  });

  test("an interrupted download ends with the status of the signal, and is continued by the next run", async () => {
    server.throttle = { bytes: 20_000, ms: 100 };
    const child = spawn(process.execPath, [join(BENCHMARKS, "dist", "real.js"), "--reference", reference, "--quick"]);
    const stderr: string[] = [];
    child.stderr.on("data", (data) => stderr.push(String(data)));
    await expect.poll(arrivedBytes).toBeGreaterThan(0);
    child.kill("SIGINT");
    const [status] = await once(child, "close");
    expect(status, stderr.join("")).toBe(130);
    expect(stderr.join("")).not.toMatch(/^\s+at /m);
    server.throttle = undefined;
    expect(await bench("--reference", reference, "--quick")).toMatchObject({ status: 0 });
    expect(weightTransfers().at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
  });
});

describe("the published figures of GPT-2 small", () => {
  test("check every row of the token embeddings once, and hold what the prompts' likeliest tokens need", async () => {
    const { prompts, shape, greedy, tolerance } = await readPublished(join(REFERENCE, "real-gpt2.json"));
    expect(prompts).toHaveLength(5);
    const tokens = prompts.flatMap((prompt) => prompt.tokens);
    expect(tokens).toHaveLength(shape.vocab_size);
    expect(new Set(tokens).size).toBe(shape.vocab_size);
    for (const { tokens: kept, logits, likeliest } of prompts) {
      const best = kept[logits.indexOf(Math.max(...logits))]!;
      const among = likeliest.filter((token) => kept.includes(token));
      if (among.length > 0) expect(best).toBe(among[0]);
      const least = Math.min(...among.map((token) => logits[kept.indexOf(token)]!));
      // No other token is so near that rounding could put it among the likeliest.
      expect(logits.filter((logit) => logit > least - tolerance)).toHaveLength(among.length);
    }
    expect(greedy.map(({ ids }) => ids.length)).toEqual([18]);
  });

  test("belong to the ids that tiktoken gives for their texts", async () => {
    const gpt2 = get_encoding("gpt2");
    const { prompts, greedy } = await readPublished(join(REFERENCE, "real-gpt2.json"));
    for (const { text, ids } of prompts) expect([...gpt2.encode(text)]).toEqual(ids);
    for (const { prompt, promptIds } of greedy) expect([...gpt2.encode(prompt)]).toEqual(promptIds);
    expect(new TextDecoder().decode(gpt2.decode(Uint32Array.from(greedy[0]!.ids)))).toMatch(/^ was found in a field/);
    gpt2.free();
  });

  test("have a table as soon as someone has run them", () => {
    const result: RealResult = {
      kind: "real",
      command: "npm run bench:real",
      conditions: {
        machine: { cpu: "a processor", cores: 2, memoryGiB: 8, platform: "linux x64", simd: ["avx2"] },
        date: "2027-01-01T00:00:00.000Z",
        node: "v24.0.0",
        loadAverage: 0,
      },
      model: "gpt2",
      tolerance: 0.02,
      prompts: [{ text: "A prompt", sameIds: true, max: 0.001, rms: 0.0001, sameLikeliest: true }],
      greedy: [{ text: "The dog", sameIds: true, tokens: 18, agreed: 17, continuation: " was" }],
      quality: [
        {
          model: "gpt2",
          text: "a book",
          dtype: "int8",
          cacheDtype: "int8",
          positions: 100,
          maxError: 1,
          rmsError: 0.1,
          meanKl: 0.001,
          maxKl: 0.01,
          top1: 0.99,
          perplexity: 31,
          basePerplexity: 30,
        },
      ],
    };
    const shown = realTable([{ processor: processorOf(result.conditions.machine), results: [result] }]);
    expect(shown).toContain("| A prompt | 1.0e-3 | 1.0e-4 | yes |");
    expect(shown).toContain("17 of 18 tokens");
    expect(shown).toContain("| int8 | a book | 100 | 31.000 (f32: 30.000) | 1.0e-3 | 1.0e-2 | 99.0 % |");
    expect(realTable([])).toBeUndefined();
  });
});
