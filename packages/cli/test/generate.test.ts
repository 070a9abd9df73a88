import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { gpt2, type Run } from "./support/cli.ts";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
});
afterAll(() => model.dispose());

type JsonLine = Readonly<Record<string, unknown>> & {
  readonly index: number;
  readonly seed: number;
  readonly text: string;
  readonly ids: readonly number[];
};

/** The lines of JSON on standard output. */
function lines({ stdout }: Run): JsonLine[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as JsonLine);
}

describe.concurrent("gpt2 generate", () => {
  const flags = ["--max-tokens", "30", "--temperature", "0.8", "--top-k", "40", "--top-p", "0.9", "--seed", "7"];
  const options = { maxTokens: 30, temperature: 0.8, topK: 40, topP: 0.9, seed: 7 };

  it("writes the continuation, and nothing else, to standard output", async () => {
    const { text } = await model.generate("To be, or not", options);
    expect(await gpt2(["generate", "--prompt", "To be, or not", ...flags])).toMatchObject({
      status: 0,
      stdout: text,
      stderr: "",
    });
  });

  it("reads the prompt from standard input or a file, without the line break that ends it", async ({
    onTestFinished,
  }) => {
    const { text } = await model.generate("To be, or not\n", options);
    const short = ["generate", "-n", "30", ...flags.slice(2)];
    for (const input of ["To be, or not\n\n", "To be, or not\n\r\n"]) {
      expect(await gpt2(short, { input })).toMatchObject({ status: 0, stdout: text });
    }
    const folder = await mkdtemp(join(tmpdir(), "prompt-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "prompt.txt");
    await writeFile(file, "To be, or not\n\n");
    expect(await gpt2([...short, "--file", file])).toMatchObject({ status: 0, stdout: text, stderr: "" });
  });

  it("is what a text alone means, and one word is a command", async () => {
    const { text } = await model.generate("To be, or not", options);
    expect(await gpt2(["To be, or not", ...flags])).toMatchObject({ status: 0, stdout: text, stderr: "" });
    expect(await gpt2(["genrate"])).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "gpt2: unknown command 'genrate' (Did you mean generate?)\n",
    });
  });

  it("takes the model from the flag, or else from GPT2_MODEL", async () => {
    const tuned = fileURLToPath(new URL("../../gpt2/test/checkpoint/fixtures/finetune", import.meta.url));
    const tokens = async (args: string[], variable: string) =>
      (await gpt2(["tokenize", ...args], { input: "zounds", env: { GPT2_MODEL: variable } })).stdout;
    const named = await tokens([], SHAKESPEARE);
    expect(await tokens([], tuned)).not.toBe(named);
    expect(await tokens(["-m", SHAKESPEARE], tuned)).toBe(named);
    expect(await gpt2(["info"], { env: { GPT2_MODEL: "./nowhere" } })).toMatchObject({
      status: 1,
      stderr: "gpt2: ./nowhere: there is no such folder (GPT2_MODEL names it)\n",
    });
  });

  it("gives with --json the whole result in one line", async () => {
    const { stdout } = await gpt2(["generate", "--prompt", "To be", "--json", ...flags]);
    expect(stdout.split("\n")).toHaveLength(2);
    const generation = await model.generate("To be", { ...options, logprobs: true });
    expect(JSON.parse(stdout)).toEqual({ index: 0, prompt: "To be", ...generation });
  });

  it("writes with --num several continuations, each with the next seed", async () => {
    const args = ["generate", "-p", "To be", ...flags, "--num", "3"];
    const seeds = [7, 8, 9];
    const [plain, json, streamed] = await Promise.all([
      gpt2(args),
      gpt2([...args, "--json"]),
      gpt2([...args, "--json", "--stream"]),
    ]);
    const all = await Promise.all(seeds.map((seed) => model.generate("To be", { ...options, seed, logprobs: true })));
    expect(plain.stdout).toBe(all.map(({ text }, i) => `=== ${i + 1} of 3 (seed ${7 + i}) ===\n${text}\n`).join(""));
    expect(lines(json)).toEqual(all.map((generation, index) => ({ index, prompt: "To be", ...generation })));
    expect(lines(streamed).filter((line) => "ids" in line)).toEqual(lines(json));
    const tokens = lines(streamed).filter((line) => line["token"] !== undefined);
    for (const [i, { ids, logprobs, text }] of all.entries()) {
      const own = tokens.filter(({ index }) => index === i);
      expect(own.map(({ id }) => id)).toEqual(ids);
      expect(own.map(({ token }) => token)).toEqual(model.tokenizer.tokens(ids));
      expect(own.map(({ logprob }) => logprob)).toEqual(logprobs);
      expect(own.map((line) => line.text).join("")).toBe(text);
    }
    // They are generated together.
    expect(tokens.slice(0, 3).map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it("writes with --top the likeliest tokens in each place, and says that a text has no room for them", async () => {
    const args = ["generate", "-p", "To be", ...flags, "--top", "2"];
    const { stdout } = await gpt2([...args, "--json"]);
    const generation = await model.generate("To be", { ...options, logprobs: true, top: 2 });
    expect(JSON.parse(stdout)).toEqual({ index: 0, prompt: "To be", ...generation });
    expect(await gpt2(args)).toMatchObject({ status: 1, stderr: expect.stringMatching(/^gpt2: .*top.*is for --json/) });
  });

  it("tells with -v on standard error where time and memory went", async () => {
    const { stdout, stderr } = await gpt2(["generate", "-v", "-p", "To be, or not", ...flags]);
    expect(stdout).toBe((await model.generate("To be, or not", options)).text);
    expect(stderr).toMatch(
      new RegExp(
        "^loading: [\\d.]+ m?s, for device wasm\\nprompt: 5 tokens; output: 30 tokens, the first after [\\d.]+ m?s, " +
          "then [\\d.]+ tokens/s\\nmemory: [\\d.]+ MB, [\\d.]+ MB at most\\n$",
      ),
    );
  });

  it("prints with --json what there is on Ctrl-C, and exits with status 130", async () => {
    const args = ["generate", "-p", "To be", "-n", "240", "--device", "reference", "--json", "--stream", "--num", "2"];
    const run = await gpt2([...args, "--seed", "3"], {
      during: (child) => child.stdout.once("data", () => child.kill("SIGINT")),
    });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 130, stderr: "" });
    const all = lines(run);
    const results = all.filter((line) => "ids" in line);
    expect(results.map(({ index, seed, finishReason }) => ({ index, seed, finishReason }))).toEqual(
      [0, 1].map((index) => ({ index, seed: 3 + index, finishReason: "aborted" })),
    );
    for (const { index, ids, logprobs } of results) {
      const tokens = all.filter((line) => line["token"] !== undefined && line.index === index);
      expect(tokens.map(({ id }) => id)).toEqual(ids);
      expect(tokens.map(({ logprob }) => logprob)).toEqual(logprobs);
      const whole = await model.generate("To be", { seed: 3 + index, maxTokens: ids.length + 1 });
      expect(whole.ids.slice(0, ids.length)).toEqual(ids);
    }
    expect(results[0]!.ids.length).toBeGreaterThan(0);
  });

  it("gives the same with --speculate, and tells how many tokens were guessed", async () => {
    const args = ["generate", "--prompt", "To be, to be, to be, to be,", "--json", "--logit-bias", "5=100", ...flags];
    const [plain, guessed] = await Promise.all([gpt2(args), gpt2([...args, "--speculate", "lookup"])]);
    const { speculation, ...generation } = JSON.parse(guessed.stdout);
    expect(generation).toEqual(JSON.parse(plain.stdout));
    expect(speculation).toEqual({ drafted: expect.any(Number), accepted: expect.any(Number) });
  });

  it("reads special tokens in the prompt as tokens with --special-tokens", async () => {
    const args = ["generate", "--prompt", "<|endoftext|>To be", "--greedy", "--max-tokens", "5", "--json"];
    const [plain, special] = await Promise.all([gpt2(args), gpt2([...args, "--special-tokens", "--threads", "12"])]);
    const { endOfText } = model.tokenizer;
    expect(special.stderr).toBe("");
    expect(JSON.parse(special.stdout).promptIds).toEqual([endOfText, ...model.tokenizer.encode("To be")]);
    expect(JSON.parse(plain.stdout).promptIds).not.toContain(endOfText);
  });

  it("takes settings from generation_config.json on request, and tells what it does not know", async () => {
    const folder = await mkdtemp(join(tmpdir(), "generation-"));
    try {
      await cp(SHAKESPEARE, folder, { recursive: true });
      const settings = { do_sample: true, temperature: 0.8, top_k: 40, top_p: 0.9, max_new_tokens: 30, num_beams: 2 };
      await writeFile(join(folder, "generation_config.json"), JSON.stringify(settings));
      const args = ["generate", "--model", folder, "--prompt", "To be, or not", "--seed", "7"];
      const { text } = await model.generate("To be, or not", options);
      expect(await gpt2([...args, "--use-generation-config"])).toMatchObject({
        status: 0,
        stdout: text,
        stderr: `gpt2: ${join(folder, "generation_config.json")}: asks for num_beams 2; there is no such option here\n`,
      });
      const given = await model.generate("To be, or not", { ...options, maxTokens: 4 });
      expect((await gpt2([...args, "--use-generation-config", "--max-tokens", "4"])).stdout).toBe(given.text);
      const free = await model.generate("To be, or not", { seed: 7, maxTokens: 200 });
      expect(await gpt2(args)).toMatchObject({ stdout: free.text, stderr: "" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("takes several stop texts", async () => {
    const { text } = await model.generate("To be", { greedy: true, maxTokens: 40 });
    const stops = [text.slice(30, 33), text.slice(20, 23)];
    const args = ["generate", "--prompt", "To be", "--greedy", "--max-tokens", "40", "--json"];
    const { stdout } = await gpt2([...args, "--stop", stops[0]!, "--stop", stops[1]!]);
    const result = JSON.parse(stdout) as { text: string; finishReason: string };
    expect(result.finishReason).toBe("stop");
    expect(text.startsWith(result.text)).toBe(true);
    expect(stops.some((stop) => text.startsWith(result.text + stop))).toBe(true);
  });

  it("gives the same text on one thread and on the reference device", async () => {
    const args = ["generate", "--prompt", "To be", "--greedy", "--max-tokens", "10"];
    const { text } = await model.generate("To be", { greedy: true, maxTokens: 10 });
    expect((await gpt2([...args, "--threads", "1", "--deterministic"])).stdout).toBe(text);
    expect((await gpt2([...args, "--device", "reference"])).stdout).toBe(text);
  });

  it("keeps on Ctrl-C what it has written, and exits with status 130", async () => {
    const args = ["generate", "--prompt", "To be", "--max-tokens", "240", "--greedy", "--device", "reference"];
    const { status, stdout, stderr } = await gpt2(args, {
      during: (child) => child.stdout.once("data", () => child.kill("SIGINT")),
    });
    expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
    const { text } = await model.generate("To be", { maxTokens: 240, greedy: true });
    expect(stdout).not.toBe("");
    expect(stdout.length).toBeLessThan(text.length);
    expect(text.startsWith(stdout)).toBe(true);
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const args = ["generate", "--prompt", "To be", "--max-tokens", "240", "--device", "reference"];
    const { status, stderr } = await gpt2(args, {
      during: (child) => child.stdout.once("data", () => child.stdout.destroy()),
    });
    expect({ status, stderr }).toEqual({ status: 141, stderr: "" });
  });
});
