import { type Tensor, zeros } from "@gpt2-ts/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TokenIdError } from "../../src/errors.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { contributions, logitLens, trace } from "../../src/look/index.ts";
import type { C as Channels, T as Tokens } from "../../src/model/model.ts";
import { describeOnGpu } from "../support/gpu.ts";
import { largestDifference, referenceValues, SHAKESPEARE } from "../support/models.ts";

/** How far a token's log-probability may be from wasm's, and from float64. */
const TOLERANCE = 1e-4;

let wasm: GPT2;
beforeAll(async () => {
  wasm = await GPT2.load(SHAKESPEARE);
});
afterAll(() => wasm.dispose());

await describeOnGpu("the Shakespeare model", (device) => {
  let model: GPT2;
  beforeAll(async () => {
    model = await GPT2.load(SHAKESPEARE, { device });
  });
  afterAll(() => model.dispose());

  it("continues a prompt as the wasm device does, token by token on the same cache", async () => {
    const options = { greedy: true, maxTokens: 12, logprobs: true };
    const expected = await wasm.generate("To be, or not", options);
    const generation = await model.generate("To be, or not", options);
    expect(generation.ids).toEqual(expected.ids);
    expect(largestDifference(generation.logprobs!, expected.logprobs!)).toBeLessThan(TOLERANCE);
    expect(largestDifference(generation.promptLogprobs!, expected.promptLogprobs!)).toBeLessThan(TOLERANCE);
  });

  it("shows what is inside as the wasm device does: logits, residual stream, attention maps, branches", async () => {
    const ids = wasm.tokenizer.encode("To be, or not to be");
    const inside = async (of: GPT2): Promise<Float32Array[]> => {
      const { blocks, final } = of.hiddenStates(ids);
      const tensors = [of.logits(ids), ...blocks, final, ...of.attentionMaps(ids)];
      const data = await Promise.all(tensors.map(async (tensor) => (await tensor.data()).slice()));
      for (const tensor of tensors) tensor.dispose();
      using context = of.context();
      const branches = [await context.append(ids), ...(await context.branch([[5], [6, 7]]))];
      return [...data, ...branches.map((logits) => logits.slice())] as Float32Array[];
    };
    const [expected, found] = [await inside(wasm), await inside(model)];
    expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
    for (const [i, values] of found.entries()) expect(largestDifference(values, expected[i]!)).toBeLessThan(TOLERANCE);
  });

  it("reads and changes values at named places as the wasm device does", async () => {
    const ids = wasm.tokenizer.encode("To be, or not to be");
    const changes = { ablate: ["h.1.attn.head.2"], hooks: { "x.2": (x: Tensor<[Tokens, Channels]>) => x.mul(1.5) } };
    const [expected, found] = [await trace(wasm, ids, changes), await trace(model, ids, changes)];
    expect(found.values.map(({ name }) => name)).toEqual(expected.values.map(({ name }) => name));
    for (const [i, { name, data }] of found.values.entries()) {
      const finite = (values: Float32Array): Float32Array => values.map((value) => (value === -Infinity ? 0 : value));
      expect(largestDifference(finite(data), finite(expected.values[i]!.data)), name).toBeLessThan(TOLERANCE);
    }
    const [wanted, parts] = [await contributions(wasm, ids), (await contributions(model, ids)).parts];
    const logits = parts.map(({ logit }) => logit);
    expect(
      largestDifference(
        logits,
        wanted.parts.map(({ logit }) => logit),
      ),
    ).toBeLessThan(TOLERANCE);
    const [best, likeliest] = [await logitLens(wasm, ids, { top: 1 }), await logitLens(model, ids, { top: 1 })];
    const probabilities = (lens: typeof best): number[] =>
      lens.layers.flatMap(({ top }) => top.map(([first]) => first!.probability));
    expect(largestDifference(probabilities(likeliest), probabilities(best))).toBeLessThan(TOLERANCE);
  });

  it("uploads no weight twice", async () => {
    await model.generate("To be", { greedy: true, maxTokens: 2 });
    const before = device.info().uploadedBytes;
    await model.generate("To be", { greedy: true, maxTokens: 4 });
    expect(device.info().uploadedBytes - before).toBeLessThan(4 * 957_184 * 0.5);
  });

  it("scores texts of all lengths as the wasm device does, several in one pass", async () => {
    const long = (await referenceValues("B")).ids;
    const texts = [[], [5], long.slice(0, 2), long.slice(2, 18), long.slice(20, 37), long.slice(40, 90)];
    const [expected, scores] = [await wasm.scoreAll(texts), await model.scoreAll(texts)];
    expect(scores.map(({ ids }) => ids)).toEqual(texts);
    for (const [i, { logprobs }] of scores.entries()) {
      expect(largestDifference(logprobs, expected[i]!.logprobs)).toBeLessThan(TOLERANCE);
    }
  });

  it("scores as PyTorch does in float64", async () => {
    const { ids, logprobs } = await referenceValues("A");
    expect(largestDifference((await model.score(ids)).logprobs, logprobs)).toBeLessThan(TOLERANCE);
  });

  it("runs a pass of scoring as one readback of its log-probabilities", async () => {
    const ids = (await referenceValues("A")).ids;
    await model.score(ids); // compiles
    const before = device.info();
    await model.score(ids);
    const after = device.info();
    expect(after.readbacks - before.readbacks).toBe(1);
    expect(after.readBytes - before.readBytes).toBe(4 * 64); // 36 tokens in the bucket of 64
    expect(after.uploadedBytes - before.uploadedBytes).toBe(3 * 4 * 64); // ids, positions, targets
  });

  it("refuses to score ids outside the vocabulary", async () => {
    await expect(
      model.scoreAll([
        [1, 2],
        [3, 1024],
      ]),
    ).rejects.toThrow(TokenIdError);
    await expect(
      model.scoreAll([
        [1, 2],
        [3, -1],
      ]),
    ).rejects.toThrow("token id -1 (at index 1)");
  });

  it("stops between passes when aborted, and tells until then how far it is", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const seen: number[] = [];
    const scoring = model.scoreAll(
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
      {
        tokensPerPass: 16,
        signal: controller.signal,
        onProgress: ({ scored }) => {
          seen.push(scored);
          if (scored === 2) controller.abort(reason);
        },
      },
    );
    await expect(scoring).rejects.toBe(reason);
    expect(seen).toEqual([1, 2]);
  });

  it("scores at the same time what is asked for at the same time", async () => {
    const ids = (await referenceValues("A")).ids;
    const [first, second] = await Promise.all([model.score(ids.slice(0, 16)), model.score(ids.slice(0, 10))]);
    expect(largestDifference(first.logprobs.slice(0, 9), second.logprobs)).toBeLessThan(TOLERANCE);
  });
});

await describeOnGpu(
  "a model",
  (device) => {
    it("gives all that it and its scoring held back when it is disposed of", async () => {
      const before = device.info().usedBytes;
      const model = await GPT2.load(SHAKESPEARE, { device });
      await model.score("To be, or not to be");
      await model.generate("To be", { maxTokens: 2, greedy: true });
      expect(device.info().usedBytes).toBeGreaterThan(before + 4 * 900_000);
      model.dispose();
      expect(device.info().usedBytes).toBe(before);
    });

    it("slides a window over what is longer than the context, as on the wasm device", async () => {
      using model = await GPT2.load(SHAKESPEARE, { device });
      const ids = [...(await referenceValues("B")).ids, ...(await referenceValues("A")).ids];
      const [expected, score] = [await wasm.score(ids, { stride: 128 }), await model.score(ids, { stride: 128 })];
      expect(largestDifference(score.logprobs, expected.logprobs)).toBeLessThan(TOLERANCE);
    });

    it("stays right when it needs more sizes of passes than are kept compiled", async () => {
      using model = await GPT2.load(SHAKESPEARE, { device });
      const ids = (await referenceValues("B")).ids;
      for (const tokens of [10, 20, 40, 70, 200, 10]) {
        const [expected, score] = [await wasm.score(ids.slice(0, tokens)), await model.score(ids.slice(0, tokens))];
        expect(largestDifference(score.logprobs, expected.logprobs)).toBeLessThan(TOLERANCE);
      }
    });

    it("is refused in a dtype of fewer bits, which the device does not have", async () => {
      const refused = GPT2.load(SHAKESPEARE, { device, dtype: "int8" });
      await expect(refused).rejects.toThrow('dtype: the gpu device keeps weights as "f32" only, got "int8"');
      expect(() => zeros([4, 4], { device }).pack("bf16")).toThrow("gpu: it has no bf16 matrices");
    });

    it("opens a device of its own by mode, and releases it", async () => {
      using model = await GPT2.load(SHAKESPEARE, { device: "gpu", gpuMode: device.info().mode });
      expect(model.device.name).toBe("gpu");
      expect(model.device).not.toBe(device);
      expect((await model.score("To be")).logprobs).toHaveLength(1);
    });
  },
  ["webgpu"],
);
