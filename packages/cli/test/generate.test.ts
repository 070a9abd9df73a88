import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { gpt2 } from "./support/cli.ts";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
});
afterAll(() => model.dispose());

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

  it("reads the prompt from standard input, to the last byte", async () => {
    const { text } = await model.generate("To be, or not\n", options);
    expect(await gpt2(["generate", ...flags], { input: "To be, or not\n" })).toMatchObject({ status: 0, stdout: text });
  });

  it("gives with --json the whole result in one line", async () => {
    const { stdout } = await gpt2(["generate", "--prompt", "To be", "--json", ...flags]);
    expect(stdout.split("\n")).toHaveLength(2);
    const generation = await model.generate("To be", { ...options, logprobs: true });
    expect(JSON.parse(stdout)).toEqual({ prompt: "To be", ...generation });
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
