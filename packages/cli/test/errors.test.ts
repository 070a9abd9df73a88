import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { open, type TensorInput, writeFile as writeTensors } from "safetensors-ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { runCommand } from "../src/run-command.ts";
import { gpt2, type Run, type RunOptions } from "./support/cli.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpt2-cli-errors-"));
  await brokenModel("unsupported", { config: { add_cross_attention: true } });
  await brokenModel("other-architecture", { config: { model_type: "llama" } });
  await brokenModel("missing-tensor", { without: "h.2.mlp.c_fc.weight" });
  await brokenModel("misshapen-tensor", { config: { n_embd: 64 } });
  await brokenModel("cut-off", { cut: 1_000_000 });
  await mkdir(join(folder, "empty"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of the Shakespeare model with something wrong. */
async function brokenModel(
  name: string,
  { config, without, cut }: { config?: Record<string, unknown>; without?: string; cut?: number },
): Promise<void> {
  const target = join(folder, name);
  await mkdir(target);
  for (const file of ["vocab.json", "merges.txt"]) await copyFile(join(SHAKESPEARE, file), join(target, file));
  const json = JSON.parse(await readFile(join(SHAKESPEARE, "config.json"), "utf8")) as Record<string, unknown>;
  await writeFile(join(target, "config.json"), JSON.stringify({ ...json, ...config }));
  const weights = join(SHAKESPEARE, "model.safetensors");
  await using file = await open(weights);
  const tensors = new Map<string, TensorInput>();
  for (const tensor of file.names) if (tensor !== without) tensors.set(tensor, await file.read(tensor));
  await writeTensors(join(target, "model.safetensors"), tensors);
  if (cut !== undefined) await writeFile(join(target, "model.safetensors"), (await readFile(weights)).subarray(0, cut));
}

/** The one line that a wrong use is answered with by the program; anything else fails the test. */
async function refusal(args: readonly string[], options?: RunOptions): Promise<string> {
  return theLine(await gpt2(args, options));
}

/** The same, by what the program calls, without a process of its own: faster. */
async function refusalHere(args: readonly string[]): Promise<string> {
  const stdout = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const status = await runCommand(args);
    const written = [stdout, stderr].map((stream) => stream.mock.calls.map(([text]) => String(text)).join(""));
    return theLine({ status, stdout: written[0]!, stderr: written[1]! });
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

function theLine({ status, stdout, stderr }: Pick<Run, "status" | "stdout" | "stderr">): string {
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^gpt2: [^\n]+\n$/);
  return stderr.slice("gpt2: ".length, -1);
}

const generate = (...args: string[]): Promise<string> => refusalHere(["generate", "--prompt", "To be", ...args]);

describe.concurrent("the program answers with one line on standard error and status 1", () => {
  const at = (model: string): string[] => ["generate", "--prompt", "To be", "--model", join(folder, model)];

  it("a flag that does not exist", async () => {
    expect(await refusal(["generate", "--num-beams", "4"])).toBe("unknown option '--num-beams'");
  });

  it("a missing folder", async () => {
    expect(await refusal(at("nowhere"))).toBe(`${join(folder, "nowhere")}: there is no such folder`);
    const beside = { cwd: dirname(SHAKESPEARE) };
    expect(await refusal(["info", "--model", "shakespeare/nowhere"], beside)).toBe(
      "shakespeare/nowhere: there is no such folder",
    );
  });

  it("a config with an unsupported field", async () => {
    expect(await refusal(at("unsupported"))).toBe(
      `${join(folder, "unsupported", "config.json")}: add_cross_attention is true; supported: false, null`,
    );
  });

  it("weights with a missing tensor", async () => {
    expect(await refusal(at("missing-tensor"))).toBe(
      `${join(folder, "missing-tensor", "model.safetensors")}: tensor h.2.mlp.c_fc.weight is missing`,
    );
  });

  it("weights with a misshapen tensor", async () => {
    expect(await refusal(at("misshapen-tensor"))).toMatch(
      /model\.safetensors: tensor \S+ is \[[\d, ]+\]; this config needs \[[\d, ]+\]$/,
    );
  });

  it("an id out of range", async () => {
    expect(await refusal(["logits", "--ids", "1,2,1024", "--out", join(folder, "out")])).toBe(
      "token id 1024 (at index 2) is outside the vocabulary: expected an integer from 0 to 1023",
    );
    const { status, stderr } = await gpt2(["tokenize", "--decode"], { input: "[1,5000]" });
    expect([status, stderr]).toEqual([
      0,
      "gpt2: the tokenizer has no token for some of the ids, such as 5000: they were left out\n",
    ]);
  });

  it("a prompt past the context", async () => {
    expect(await refusal(["generate"], { input: "to be ".repeat(300) })).toMatch(
      /^\d+ tokens do not fit into the context of 256/,
    );
  });

  it("input that is not what was asked for", async () => {
    const notText = { input: Uint8Array.of(0x61, 0xc3, 0x28) };
    expect(await refusal(["tokenize"], notText)).toBe("standard input is not UTF-8 text (at byte 1)");
    const cutOff = { input: Uint8Array.of(0x61, 0xe2, 0x82) };
    expect(await refusal(["generate"], cutOff)).toBe("standard input is not UTF-8 text (at byte 1)");
    expect(await refusal(["tokenize", "--decode"], { input: "1 2" })).toContain(
      "standard input: expected a JSON array of token ids",
    );
    expect(await refusal(["tokenize", "--decode"], { input: "[1.5]" })).toContain("item 0 is not a token id");
  });

  it("with the stack below it only if DEBUG=gpt2 asks for it", async () => {
    const { stderr } = await gpt2(["generate", "--prompt", "a", "--top-k", "0"], { env: { DEBUG: "gpt2" } });
    expect(stderr).toMatch(/^gpt2: --top-k.*\n.*OptionError[\s\S]*\n {4}at /);
  });
});

describe("the same answers", () => {
  it("a flag, command or argument that does not exist", async () => {
    expect(await generate("--tempreature", "1")).toBe("unknown option '--tempreature' (Did you mean --temperature?)");
    expect(await refusalHere(["generat"])).toBe("unknown command 'generat' (Did you mean generate?)");
    expect(await refusalHere(["Once"])).toBe(
      "unknown command 'Once'; to continue a text of one word: gpt2 generate --prompt WORD",
    );
    expect(await generate("one too many")).toContain("too many arguments for 'generate'");
  });

  it("a device, dtype or thread count that there is not", async () => {
    expect(await generate("--device", "tpu")).toContain("'tpu' is invalid. there are wasm, gpu, reference");
    expect(await generate("--dtype", "f16")).toContain("'f16' is invalid. there are f32, bf16, int8");
    expect(await generate("--cache-dtype", "f8")).toContain("'f8' is invalid. there are f32, bf16, int8");
    expect(await generate("--threads", "0")).toBe("--threads: expected an integer from 1, got 0");
    expect(await generate("--threads", "two")).toContain("'two' is invalid. expected an integer");
    expect(await generate("--threads", "2", "--device", "reference")).toBe('--threads: is for device "wasm" only');
    expect(await generate("--threads", "2", "--device", "gpu")).toBe('--threads: is for device "wasm" only');
    expect(await generate("--gpu-mode", "webgpu")).toBe('--gpu-mode: is for device "gpu" only');
    expect(await generate("--device", "gpu", "--gpu-mode", "opencl")).toBe(
      '--gpu-mode: there are auto, webgpu, webgl2, headlessgl, webasm, cpu; got "opencl"',
    );
  });

  it("a sampling option out of range", async () => {
    expect(await generate("--temperature", "-1")).toBe("--temperature: expected a number from 0, got -1");
    expect(await generate("--temperature", "warm")).toContain("'warm' is invalid. expected a number");
    expect(await generate("--top-k", "0")).toBe("--top-k: expected an integer from 1, got 0");
    expect(await generate("--top-p", "1.5")).toBe("--top-p: expected a number above 0, at most 1, got 1.5");
    expect(await generate("--repetition-penalty", "0")).toContain("--repetition-penalty: expected a number above 0");
    expect(await generate("--min-p", "2")).toBe("--min-p: expected a number from 0 to 1, got 2");
    expect(await generate("--no-repeat-ngram-size", "0")).toBe(
      "--no-repeat-ngram-size: expected an integer from 1, got 0",
    );
    expect(await generate("--speculate", "draft")).toBe('--speculate: expected "lookup", got "draft"');
    expect(await generate("--presence-penalty", "high")).toContain("'high' is invalid. expected a number");
    expect(await generate("--logit-bias", "a=1")).toContain("expected a token id and a number, such as 50256=-100");
    expect(await generate("--max-tokens", "0")).toBe("--max-tokens: expected an integer from 1, got 0");
    expect(await generate("--seed", "-3")).toBe("--seed: expected an integer from 0, got -3");
    expect(await generate("--stop", "")).toContain("--stop: expected texts of at least one character");
    expect(await generate("--num", "0")).toBe("--num: expected an integer from 1, got 0");
    expect(await generate("--num", "2", "--seed", `${Number.MAX_SAFE_INTEGER}`)).toContain(
      "--seed: expected an integer",
    );
    expect(await generate("--stream")).toBe("--stream: is for --json; a text is written as it comes anyway");
    expect(await generate("--file", "x")).toBe("--file: has no meaning together with --prompt");
    expect(await refusalHere(["generate", "--file", join(folder, "nowhere")])).toBe(
      `--file: ${join(folder, "nowhere")} cannot be read (ENOENT)`,
    );
    expect(await refusalHere(["run", "--top-k", "0"])).toBe("--top-k: expected an integer from 1, got 0");
    expect(await generate("--greedy", "--temperature", "1")).toBe("--temperature: has no meaning together with greedy");
    expect(await refusalHere(["score", "--stride", "0"])).toBe("--stride: expected an integer from 1, got 0");
    expect(await refusalHere(["score", "--on-error", "skip"])).toContain("Allowed choices are stop, report.");
    expect(await refusalHere(["tokenize", "--decode", "--special-tokens"])).toBe(
      "--special-tokens: has no meaning together with --decode",
    );
  });

  it("a folder that is empty, or a file", async () => {
    expect(await generate("--model", "./nowhere")).toBe("./nowhere: there is no such folder");
    const empty = join(folder, "empty");
    expect(await generate("--model", empty)).toBe(`${join(empty, "vocab.json")}: there is no such file`);
    const file = join(SHAKESPEARE, "config.json");
    expect(await generate("--model", file)).toBe(
      `${file}: not a folder; expected the one that the model's files are in, ${SHAKESPEARE}`,
    );
  });

  it("a model that is neither here nor to be had from the hub", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    vi.stubEnv("HF_HOME", folder);
    expect(await generate("--model", "nobody/nothing")).toContain(
      "nobody/nothing: there is no such folder, and from the hub: nobody/nothing (main) is not",
    );
    vi.unstubAllEnvs();
  });

  it("another architecture, or weights that were cut off", async () => {
    expect(await generate("--model", join(folder, "other-architecture"))).toContain(
      'config.json: model_type is "llama"; supported: "gpt2"',
    );
    expect(await generate("--model", join(folder, "cut-off"))).toContain("model.safetensors");
  });

  it("a wrong use of look", async () => {
    const look = (...args: string[]): Promise<string> => refusalHere(["look", "--text", "a", ...args]);
    expect(await refusalHere(["look", "--text", ""])).toBe("--text: an empty text has nothing to look at");
    expect(await look("--show", "all")).toContain("there are surprise, attention, lens, contributions");
    expect(await look("--head", "1")).toBe("--head: has no meaning without --layer");
    expect(await look("--theme", "dark")).toBe("--theme: has no meaning without --out");
    expect(await look("--show", "lens", "--layer", "1")).toBe(
      "--layer: has no meaning without attention among what is shown",
    );
    expect(await look("--show", "lens", "--target", "a")).toBe(
      "--target: has no meaning without contributions among what is shown",
    );
    expect(await look("--layer", "4")).toBe("--layer: expected an integer from 0 to 3, got 4");
    expect(await look("--position", "1")).toBe("--position: expected an integer from -1 to 0, got 1");
    expect(await look("--target", " question")).toBe('--target: expected one token, got 3: " qu", "est", "ion"');
    expect(await look("--ablate", "h.4.ln1")).toMatch(
      /^--ablate: there is no place "h\.4\.ln1" in this model; there are wte/,
    );
    expect(await refusalHere(["look", "--text", "a ".repeat(300)])).toContain("do not fit into the context of 256");
    const file = join(SHAKESPEARE, "config.json");
    expect(await look("--out", file)).toContain(file);
  });

  it("logits of nothing, of two things, of too much, or into nowhere", async () => {
    expect(await refusalHere(["logits", "--text", "a"])).toContain("required option '--out <file>' not specified");
    expect(await refusalHere(["logits", "--out", "x"])).toBe("expected either --ids or --text");
    const both = ["logits", "--ids", "1", "--text", "a", "--out", "x"];
    expect(await refusalHere(both)).toBe("expected either --ids or --text");
    expect(await refusalHere(["logits", "--ids", "1,,2", "--out", "x"])).toContain("token ids separated by commas");
    expect(await refusalHere(["logits", "--text", "", "--out", "x"])).toContain("an empty text has no logits");
    const ids = new Array(257).fill(1).join(",");
    expect(await refusalHere(["logits", "--ids", ids, "--out", "x"])).toContain("257 tokens do not fit");
    expect(await refusalHere(["logits", "--text", "a", "--out", join(folder, "no", "file")])).toContain(
      "the file cannot be written (ENOENT)",
    );
  });
});
