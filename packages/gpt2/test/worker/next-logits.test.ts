import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ContextLengthError, TokenIdError } from "../../src/errors.ts";
import { GPT2 } from "../../src/index.ts";
import { startHooks } from "../../src/look/index.ts";
import { GPT2Worker } from "../../src/worker/index.ts";
import { SHAKESPEARE } from "../support/models.ts";
import { inProcess } from "./in-process.ts";

let direct: GPT2;
let remote: GPT2Worker;
beforeAll(async () => {
  direct = await GPT2.load(SHAKESPEARE);
  remote = await GPT2Worker.load(SHAKESPEARE, { worker: inProcess() });
});
afterAll(() => {
  direct.dispose();
  remote.dispose();
});

/** The last row of the logits of a pass over the whole text. */
async function lastLogits(ids: readonly number[]): Promise<Float32Array> {
  using all = direct.logits(ids);
  return (await all.data()).slice(-direct.model.config.vocabSize);
}

test("the logits of what may follow are a whole pass's, to the bit, whatever was asked about before", async () => {
  const text = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }); // few ids: texts begin alike
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (texts) => {
      for (const ids of texts) expect(await remote.nextLogits(ids)).toEqual(await lastLogits(ids));
    }),
    { numRuns: 25 },
  );
});

test("questions that are asked side by side are all answered, and one that is aborted spoils no other", async () => {
  const prompts = ["To be", "To be, or", "To", "To be, or not to be"];
  const controller = new AbortController();
  const aborted = remote.nextLogits("To be, or not", { signal: controller.signal });
  controller.abort("enough");
  const answers = prompts.map((prompt) => remote.nextLogits(prompt));
  await expect(aborted).rejects.toBe("enough");
  for (const [i, prompt] of prompts.entries()) {
    expect(await answers[i]).toEqual(await lastLogits(direct.tokenizer.encode(prompt)));
  }
});

test("they follow what is switched off", async () => {
  const ids = direct.tokenizer.encode("To be, or not to be");
  const before = await remote.nextLogits(ids);
  await remote.switchOff(["h.1.attn.head.2"]);
  const stop = startHooks(direct, { ablate: ["h.1.attn.head.2"] });
  expect(await remote.nextLogits(ids)).toEqual(await lastLogits(ids));
  stop();
  await remote.switchOff([]);
  expect(await remote.nextLogits(ids)).toEqual(before);
});

test("texts that the model cannot read are the errors of a Context, and no harm comes of them", async () => {
  await expect(remote.nextLogits([])).rejects.toThrow(RangeError);
  await expect(remote.nextLogits([5000])).rejects.toThrow(TokenIdError);
  await expect(remote.nextLogits(new Array(257).fill(1))).rejects.toThrow(ContextLengthError);
  await expect(remote.nextLogits("To", { top: 1 } as never)).rejects.toThrow("top");
  expect(await remote.nextLogits("To")).toEqual(await lastLogits(direct.tokenizer.encode("To")));
});

test("a worker tells what its model runs on, and what it takes", async () => {
  const info = await remote.info();
  expect(info).toMatchObject({ device: "wasm", dtype: "f32", cacheDtype: "f32" });
  expect(info.threads).toBeGreaterThan(0);
  expect(info.usedBytes).toBeGreaterThan(3_800_000); // the weights
  expect(info.memoryBytes).toBeGreaterThanOrEqual(info.usedBytes!);
  using int8 = await GPT2Worker.load(SHAKESPEARE, { worker: inProcess(), dtype: "int8", threads: 1 });
  expect(await int8.info()).toMatchObject({ dtype: "int8", cacheDtype: "bf16", threads: 1 });
  using plain = await GPT2Worker.load(SHAKESPEARE, { worker: inProcess(), device: "reference" });
  expect(await plain.info()).toMatchObject({ device: "reference", threads: undefined, memoryBytes: undefined });
});
