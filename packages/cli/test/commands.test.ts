import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GPT2 } from "@gpt2-ts/gpt2";
import { temporaryPath } from "@gpt2-ts/gpt2/node";
import fc from "fast-check";
import { open } from "safetensors-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { largestDifference, referenceValues, SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { gpt2 } from "./support/cli.ts";

let model: GPT2;
let folder: string;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
  folder = await mkdtemp(join(tmpdir(), "gpt2-cli-"));
});
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe.concurrent("gpt2 score", () => {
  it("answers each line in order, with all other keys passed through", async () => {
    const texts = ["To be, or not to be", "", "naïve 漢", "x".repeat(100)];
    const lines = texts.map((text, n) => JSON.stringify({ n, text, "a b": [n, null] }));
    const { status, stdout, stderr } = await gpt2(["score"], { input: `${lines.join("\n")}\n` });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const expected = (await model.scoreAll(texts)).map((score, n) => ({ n, "a b": [n, null], ...score }));
    expect(stdout).toBe(expected.map((score) => `${JSON.stringify(score)}\n`).join(""));
    expect(stdout.split("\n")[1]).toContain('"logprobs":[],"logLikelihood":0,"perplexity":null,"bitsPerByte":null');
  });

  it("takes ids as well as text, and a last line without line break", async () => {
    const ids = model.tokenizer.encode("To be, or not to be");
    const input = `{"ids":${JSON.stringify(ids)}}\r\n{"text":"To be, or not to be"}`;
    const [first, second] = (await gpt2(["score"], { input })).stdout.trimEnd().split("\n");
    expect(first).toBe(second);
    expect(JSON.parse(first!)).toMatchObject({ ids, logLikelihood: (await model.score(ids)).logLikelihood });
  });

  it("answers a line before the next one has come", async () => {
    const { status, stdout } = await gpt2(["score"], {
      input: "open",
      during: (child) => {
        child.stdin.write('{"text":"one two"}\n');
        child.stdout.once("data", () => child.stdin.end('{"text":"three four"}\n'));
      },
    });
    expect(status).toBe(0);
    expect(stdout.split("\n")).toHaveLength(3);
  });

  it("can be interrupted while it waits for a line", async () => {
    const { status, stdout, stderr } = await gpt2(["score"], {
      input: "open",
      during: (child) => {
        child.stdin.write('{"text":"one two"}\n{"text":');
        child.stdout.once("data", () => child.kill("SIGINT"));
      },
    });
    expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
    expect(stdout.split("\n")).toHaveLength(2);
  });

  it("scores what is longer than the context with --stride", async () => {
    const ids = [...(await referenceValues("B")).ids, ...(await referenceValues("A")).ids];
    const { stdout } = await gpt2(["score", "--stride", "64"], { input: JSON.stringify({ ids }) });
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(await model.score(ids, { stride: 64 }))));
  });

  it("names the line that it cannot use, after answering those before it", async () => {
    const input = '{"text":"ab"}\n{"text":"cd"}\n{"ids":[1,1024]}\n{"text":"ef"}\n';
    const { status, stdout, stderr } = await gpt2(["score"], { input });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        "gpt2: line 3: token id 1024 (at index 1) is outside the vocabulary: expected an integer from 0 to 1023\n",
    });
    expect(stdout.split("\n")).toHaveLength(3);
  });

  it("skips blank lines, which count, and passes other keys through as they are written", async () => {
    const others = '"id": 90071992547409931,"2":1e400,"1":[ ],"id":"\\ud83d"';
    const input = `\n{${others},"text":"ab"}\r\n \t\r\n\n{"ids":[1,5000]}`;
    const { status, stdout, stderr } = await gpt2(["score"], { input });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^gpt2: line 5: token id 5000 /);
    expect(stdout).toBe(`{${others},${JSON.stringify(await model.score("ab")).slice(1)}\n`);
  });

  it("reports lines that it cannot use in the output with --on-error report, and scores the rest", async () => {
    const lines = [
      '{"n":1,"text":"ab"}',
      '{"n":2,"ids":[1024]}',
      "nonsense",
      "",
      '{"n":5,"text":"cd"}',
      '{"n":6,"line":0,"text":"ef"}',
      Buffer.from([0x7b, 0xff]),
    ];
    const input = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from("\n")]));
    const { status, stdout, stderr } = await gpt2(["score", "--on-error", "report"], { input });
    expect({ status, stderr }).toEqual({ status: 1, stderr: "gpt2: 4 of 6 lines could not be scored\n" });
    const output = stdout.trimEnd().split("\n");
    expect(output[0]).toBe(JSON.stringify({ n: 1, ...(await model.score("ab")) }));
    expect(output[3]).toBe(JSON.stringify({ n: 5, ...(await model.score("cd")) }));
    expect([1, 2, 4, 5].map((i) => JSON.parse(output[i]!))).toEqual([
      { n: 2, line: 2, error: expect.stringContaining("token id 1024 (at index 0) is outside the vocabulary") },
      { line: 3, error: "it is not JSON: expected a value at character 1" },
      { line: 6, error: expect.stringContaining('the output has a key "line" too') },
      { line: 7, error: "it is not UTF-8 text (at byte 1)" },
    ]);
    const fine = await gpt2(["score", "--on-error", "report"], { input: "\n" });
    expect(fine).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  it("puts results and reports under a key of their own with --result-key", async () => {
    const input = '{"tokens":7,"text":"ab"}\n{"tokens":8,"text":[]}\n';
    const { stdout } = await gpt2(["score", "--on-error", "report", "--result-key", "score"], { input });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { tokens: 7, score: JSON.parse(JSON.stringify(await model.score("ab"))) },
      { tokens: 8, score: { line: 2, error: '"text" is not a string' } },
    ]);
  });

  it("reads special tokens as tokens with --special-tokens", async () => {
    const { stdout } = await gpt2(["score", "--special-tokens"], { input: '{"text":"<|endoftext|>ab"}' });
    expect(JSON.parse(stdout).tokens[0]).toBe("<|endoftext|>");
  });

  it("prints no warning when many threads compute", async () => {
    const { status, stdout, stderr } = await gpt2(["score", "--threads", "12"], {
      input: JSON.stringify({ text: "To be, or not to be. ".repeat(20) }),
      env: { NODE_OPTIONS: "--trace-warnings" },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.length).toBeGreaterThan(100);
  });
});

describe.concurrent("gpt2 logits", () => {
  it("writes ids and logits, which equal PyTorch's in float64, to a safetensors file", async () => {
    const { ids, logits } = await referenceValues("A");
    const out = join(folder, "logits.safetensors");
    expect(await gpt2(["logits", "--ids", ids.join(","), "--out", out])).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
    await using file = await open(out);
    expect(file.names.toSorted()).toEqual(["ids", "logits"]);
    expect(await file.read("ids")).toEqual({ dtype: "I32", shape: [36], data: Int32Array.from(ids) });
    expect(file.info("logits")).toMatchObject({ dtype: "F32", shape: [36, 1024] });
    expect(largestDifference(await file.readFloat32("logits"), logits)).toBeLessThan(7e-5);
  });

  it("takes a text too", async () => {
    const out = join(folder, "text.safetensors");
    await gpt2(["logits", "--text", "To be", "--out", out]);
    await using file = await open(out);
    expect(Array.from((await file.read("ids")).data as Int32Array)).toEqual(model.tokenizer.encode("To be"));
  });

  it("reads special tokens in the text as tokens with --special-tokens", async () => {
    const out = join(folder, "special.safetensors");
    await gpt2(["logits", "--text", "<|endoftext|>To be", "--special-tokens", "--out", out]);
    await using file = await open(out);
    const ids = [model.tokenizer.endOfText, ...model.tokenizer.encode("To be")];
    expect(Array.from((await file.read("ids")).data as Int32Array)).toEqual(ids);
  });

  it("removes what a run that was killed has left, and nothing else", async () => {
    const own = await mkdtemp(join(folder, "killed-"));
    const out = join(own, "logits");
    const ended = spawnSync(process.execPath, ["--version"]).pid;
    const living = temporaryPath(out);
    const left = living.replace(`-${process.pid}-`, `-${ended}-`);
    const others = left.replace("logits", "others");
    for (const file of [living, left, others]) await writeFile(file, "half a file");
    expect(await gpt2(["logits", "--ids", "1,2", "--out", out])).toMatchObject({ status: 0, stderr: "" });
    expect((await readdir(own)).sort()).toEqual([living, others, out].map((file) => basename(file)).sort());
  });

  it("leaves what was there as it was when it fails", async () => {
    const own = await mkdtemp(join(folder, "failing-"));
    const out = join(own, "kept");
    await writeFile(out, "mine");
    const { status } = await gpt2(["logits", "--ids", "1,5000", "--out", out]);
    expect(status).toBe(1);
    expect(await readFile(out, "utf8")).toBe("mine");
    expect(await readdir(own)).toEqual(["kept"]);
  });
});

describe.concurrent("a fine-tune with a padded vocabulary", () => {
  const tuned = fileURLToPath(new URL("../../gpt2/test/checkpoint/fixtures/finetune", import.meta.url));

  it("is told of on standard error, and its added tokens are read", async () => {
    const { status, stdout, stderr } = await gpt2(["score", "--model", tuned], { input: '{"text":"a zounds"}' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout).tokens).toEqual(["a", " ", "zounds"]);
    expect(stderr).toMatch(/^gpt2: .+config\.json: vocab_size is 384, but the tokenizer's is 325; .+ never drawn\n$/);
  });

  it("can be tokenized for and decoded, ids without a token as nothing", async () => {
    const { stdout } = await gpt2(["tokenize", "--model", tuned, "--special-tokens"], { input: "zounds<|bot|>a" });
    expect(JSON.parse(stdout)).toEqual([323, 322, 64]);
    const decoded = await gpt2(["tokenize", "--model", tuned, "--decode"], { input: "[323, 350, 322]" });
    expect(decoded).toMatchObject({ status: 0, stdout: "zounds<|bot|>" });
    expect(decoded.stderr).toContain("no token for some of the ids, such as 350");
  });
});

describe.concurrent("gpt2 tokenize", () => {
  it("gives the tokenizer's ids, and the text back to the byte", async () => {
    const random = fc.sample(fc.string({ unit: "binary", maxLength: 200 }), { numRuns: 20, seed: 5 });
    const text = `\ufeffBOM <|endoftext|>\r\n\u0000 naïve 😀${random.join("")}\n\n`;
    const encoded = await gpt2(["tokenize"], { input: text });
    expect(encoded).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(encoded.stdout)).toEqual(model.tokenizer.encode(text));
    const decoded = await gpt2(["tokenize", "--decode"], { input: encoded.stdout });
    expect(decoded.stdoutBytes).toEqual(Buffer.from(text));
  });

  it("takes text and ids of any length as they come", async () => {
    const text = `naïve 漢字 😀 ${"word ".repeat(10)}\n`.repeat(5_000);
    const encoded = await gpt2(["tokenize"], { input: text });
    const ids = JSON.parse(encoded.stdout) as number[];
    expect(ids).toEqual(model.tokenizer.encode(text));
    const decoded = await gpt2(["tokenize", "--decode"], { input: JSON.stringify(ids, null, 1) });
    expect(decoded.stdout).toBe(text);
    const none = await gpt2(["tokenize"]);
    expect(none.stdout).toBe("[]\n");
  });

  it("names the byte that is not UTF-8 far into a text", async () => {
    const input = Buffer.concat([Buffer.from("é ".repeat(100_000)), Buffer.of(0xff)]);
    const { status, stderr } = await gpt2(["tokenize"], { input });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "gpt2: standard input is not UTF-8 text (at byte 300000)\n",
    });
  });

  it("reads special tokens as tokens with --special-tokens", async () => {
    const input = "one<|endoftext|>two";
    const { stdout } = await gpt2(["tokenize", "--special-tokens"], { input });
    expect(JSON.parse(stdout)).toEqual(model.tokenizer.encode(input, { allowedSpecial: "all" }));
  });

  it("gives the bytes of any ids, whole characters or not", async () => {
    const ids = [...model.tokenizer.encode("😀").slice(1), 1023, 0];
    const { stdoutBytes } = await gpt2(["tokenize", "--decode"], { input: JSON.stringify(ids) });
    expect(stdoutBytes).toEqual(Buffer.from(model.tokenizer.decodeBytes(ids)));
  });
});

describe.concurrent("gpt2 info", () => {
  it("tells the config, parameters, dtypes, memory and devices, for people and as JSON", async () => {
    const [text, json] = await Promise.all([gpt2(["info"]), gpt2(["info", "--model", SHAKESPEARE, "--json"])]);
    expect(text.status).toBe(0);
    for (const part of ["957,184", "F32: 52 tensors, 3.8 MB", "nLayer 4", "wasm: SIMD", SHAKESPEARE]) {
      expect(text.stdout).toContain(part);
    }
    expect(JSON.parse(json.stdout)).toMatchObject({
      model: SHAKESPEARE,
      config: { nLayer: 4, nPositions: 256, vocabSize: 1024 },
      parameters: 957_184,
      stored: { F32: { tensors: 52, bytes: 4 * 957_184 } },
      memory: { dtype: "f32", weights: 4 * 957_184, cacheDtype: "f32", kvCachePerToken: 4096 },
    });
  });

  it("tells the memory that weights, keys and values take in fewer bits", async () => {
    const kept = async (...flags: string[]) => JSON.parse((await gpt2(["info", "--json", ...flags])).stdout).memory;
    expect(await kept("--cache-dtype", "bf16")).toMatchObject({
      dtype: "f32",
      cacheDtype: "bf16",
      kvCachePerToken: 2048,
    });
    const heads = 2 * 4 * 4; // keys and values of 4 layers of 4 heads of 32 numbers
    expect(await kept("--dtype", "int8")).toMatchObject({ cacheDtype: "bf16", kvCachePerToken: 2048 });
    expect(await kept("--cache-dtype", "int8")).toMatchObject({ kvCachePerToken: heads * (32 + 4) });
    const { stdout } = await gpt2(["info", "--dtype", "bf16", "--json"]);
    const vectors = 4 * (2 * 128 + 128 + 2 * 128 + 384 + 128 + 512) + 2 * 128;
    expect(JSON.parse(stdout)).toMatchObject({
      memory: { dtype: "bf16", weights: 2 * (957_184 - vectors) + 4 * vectors },
    });
  });
});

describe.concurrent("gpt2 convert", () => {
  it("writes a model that gives the very results of --dtype, and refuses to replace it", async () => {
    const out = join(folder, "int8");
    const converted = await gpt2(["convert", "--dtype", "int8", "--out", out]);
    expect({ status: converted.status, stdout: converted.stdout }).toEqual({ status: 0, stdout: `${out}\n` });
    const input = `${JSON.stringify({ text: "To be, or not to be, that is the question" })}\n`;
    const [own, asked, plain] = await Promise.all([
      gpt2(["score", "--model", out], { input }),
      gpt2(["score", "--dtype", "int8"], { input }),
      gpt2(["score", "--dtype", "f32"], { input }),
    ]);
    expect(own).toMatchObject({ status: 0, stdout: asked.stdout });
    const logLikelihood = ({ stdout }: { stdout: string }) =>
      (JSON.parse(stdout) as Record<string, number>)["logLikelihood"]!;
    const difference = Math.abs(logLikelihood(asked) - logLikelihood(plain));
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.2);
    const { stdout } = await gpt2(["info", "--model", out, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ parameters: 957_184, memory: { dtype: "int8" } });

    const again = await gpt2(["convert", "--dtype", "bf16", "--out", out]);
    expect(again).toMatchObject({ status: 1, stdout: "" });
    expect(again.stderr).toBe(`gpt2: --out: ${join(out, "config.json")} exists; overwrite would replace it\n`);
    expect((await gpt2(["convert", "--dtype", "bf16", "--out", out, "--overwrite"])).status).toBe(0);
    const file = await open(join(out, "model.safetensors"));
    expect(file.info("wte.weight").dtype).toBe("BF16");
    await file.close();
  });

  it("wants to be told the folder, and a dtype that there is", async () => {
    const [noFolder, unknown] = await Promise.all([
      gpt2(["convert"]),
      gpt2(["convert", "--dtype", "int4", "--out", join(folder, "none")]),
    ]);
    expect(noFolder.stderr).toBe("gpt2: required option '--out <folder>' not specified\n");
    expect(unknown.stderr).toContain("'int4' is invalid. expected bf16 or int8");
  });
});

describe.concurrent("gpt2", () => {
  it("tells with --help what it can do", async () => {
    const { status, stdout, stderr } = await gpt2(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const command of ["generate", "run", "logits", "score", "tokenize", "info", "convert", "download"]) {
      expect(stdout).toContain(`  ${command} `);
    }
    expect(stdout).toContain('\nExamples:\n  gpt2 "Once upon a time" ');
    expect(await gpt2([])).toMatchObject({ status: 1, stdout: "", stderr: stdout });
    expect((await gpt2(["generate", "--help"])).stdout).toMatch(/one line break at the end is dropped[\s\S]*/);
    expect((await gpt2(["generate", "--help"], { env: { GPT2_MODEL: "x" } })).stdout).toContain("GPT2_MODEL");
  });
});
