/** The model that the command uses unless told otherwise, weights/stories: `npm run train:stories` made it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gpt2, type RunOptions } from "./support/cli.ts";

const STORIES = fileURLToPath(new URL("../../../weights/stories", import.meta.url));
const EMMA = "She was the youngest of the two daughters of a most affectionate, indulgent father";

const byDefault = (args: readonly string[], options: RunOptions = {}) =>
  gpt2(args, { ...options, env: { GPT2_MODEL: "" } });

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(STORIES, { deterministic: true });
});
afterAll(() => model.dispose());

describe.concurrent("the shipped model", () => {
  it("is the file that the training wrote", () => {
    const hash = createHash("sha256")
      .update(readFileSync(`${STORIES}/model.safetensors`))
      .digest("hex");
    expect(hash).toBe("378136e72a9a84482c0f20e80cb376cff2ef26ff6807e14f3ef3e259d2aca45f");
  });

  it("is the one of a command that names none", async () => {
    const { status, stdout } = await byDefault(["info", "--json"]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      parameters: 1_915_360,
      config: { nLayer: 5, nHead: 5, nEmbd: 160, nPositions: 256, vocabSize: 2048, eosTokenIds: [2047] },
    });
  });

  it("writes the same line for the same seed", async () => {
    const args = [
      "generate",
      "-p",
      "Once upon a time",
      "-n",
      "30",
      "--temperature",
      "0.7",
      "--top-p",
      "0.9",
      "--seed",
      "2",
    ];
    const { status, stdout, stderr } = await byDefault([...args, "--deterministic"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(`, when the truth was in the hotteel.\n\n"I am sure," said Elinor, "you are not so good, for`);
  });

  it("expects prose of the kind that it has read", async () => {
    const { logLikelihood, ids } = await model.score(EMMA);
    expect(ids).toHaveLength(22);
    expect(logLikelihood).toBeCloseTo(-72.37745, 3);
    const { stdout } = await byDefault(["score", "--deterministic"], { input: JSON.stringify({ text: EMMA }) });
    expect(JSON.parse(stdout)).toMatchObject({ ids, logLikelihood });
  });

  it("was the best of its training on the held-out text, at 3.935 nats a token", () => {
    const log = readFileSync(`${STORIES}/training/log.jsonl`, "utf8").trimEnd().split("\n");
    const losses = log
      .map((line) => JSON.parse(line) as { heldOutLoss?: number })
      .flatMap((entry) => entry.heldOutLoss ?? []);
    expect(losses.at(-1)).toBe(Math.min(...losses));
    expect(losses.at(-1)).toBeCloseTo(3.935, 3);
  });
});
