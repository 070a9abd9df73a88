import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GPT2 } from "../src/gpt2.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/", import.meta.url));
const STORIES = fileURLToPath(new URL("../../../weights/stories/", import.meta.url));

let model: GPT2;
let folder: string;
beforeAll(async () => {
  model = await GPT2.load(STORIES);
  folder = await mkdtemp(join(tmpdir(), "gpt2-ts-examples-"));
});
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true });
});

/** Runs an example as its first lines say, on the built packages. */
function run(name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [join(EXAMPLES, name), ...args], { cwd: folder });
}

describe.concurrent("examples", () => {
  it("are the ones that are tested here", async () => {
    const programs = (await readdir(EXAMPLES)).filter((name) => name.endsWith(".js"));
    expect(programs.sort()).toEqual(["generate.js", "observe.js", "rank.js", "score-jsonl.js"]);
  });

  it("generate.js writes the prompt and its continuation", async () => {
    const options = { maxTokens: 60, temperature: 0.8, topK: 40, seed: 1 };
    const { text } = await model.generate("She did not", options);
    expect((await run("generate.js", "She did not")).stdout).toBe(`She did not${text}\n`);
  });

  it("score-jsonl.js adds to each line what the model finds, and sums up, texts longer than the context included", async () => {
    const texts = ["Once upon a time", "x", "He was ".repeat(300)];
    const path = join(folder, "texts.jsonl");
    await writeFile(path, texts.map((text, id) => JSON.stringify({ id, text })).join("\n"));
    const { stdout, stderr } = await run("score-jsonl.js", path);
    const scores = await model.scoreAll(texts, { stride: 128 });
    const expected = scores.map(({ logLikelihood, perplexity }, id) => ({
      id,
      text: texts[id],
      logLikelihood,
      perplexity,
    }));
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toEqual(expected.map((line) => JSON.stringify(line)));
    const logprobs = scores.flatMap((score) => score.logprobs);
    const mean = logprobs.reduce((sum, logprob) => sum + logprob, 0) / logprobs.length;
    expect(Number(stderr.match(/over all: ([\d.]+)/)?.[1])).toBeCloseTo(Math.exp(-mean), 2);
  });

  it("observe.js prints every operation of a pass, with shapes, times and the weight it reads", async () => {
    const { stdout } = await run("observe.js", STORIES, "She could not help smiling");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("logits [6, 2048]");
    const ops = lines.slice(0, -1).map((line) => /^ *\d+\.\d{3} ms {2}(\w+) +(.*) -> (\[[\d, ]+\]) ?(.*)$/.exec(line)!);
    expect(ops.slice(0, 5).map((match) => match.slice(1))).toEqual([
      ["embedding", "[2048, 160] [6]", "[6, 160]", "wte.weight"],
      ["embedding", "[256, 160] [6]", "[6, 160]", "wpe.weight"],
      ["add", "[6, 160] [6, 160]", "[6, 160]", ""],
      ["layerNorm", "[6, 160] [160] [160]", "[6, 160]", "h.0.ln_1.weight"],
      ["linear", "[6, 160] [160, 480] [480]", "[6, 480]", "h.0.attn.c_attn.weight"],
    ]);
    // Embeddings (3 with their sum), 9 for a block, the last layer normalization, the logits.
    expect(ops).toHaveLength(3 + 9 * model.config.nLayer + 2);
  });

  it("rank.js puts the sentence first that the model finds likeliest behind the context", async () => {
    const { stdout } = await run("rank.js", "She did not know", "what the stock market did.", "what to say.");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.split("  ")[1])).toEqual(["what to say.", "what the stock market did."]);
    const given = model.tokenizer.encode("She did not know");
    const own = model.tokenizer.encode(" what to say.");
    const { logprobs } = await model.score([...given, ...own]);
    const mean = logprobs.slice(-own.length).reduce((sum, logprob) => sum + logprob, 0) / own.length;
    expect(Number(lines[0]?.split(" ")[0])).toBeCloseTo(mean, 2);
  });
});
