import { createHash } from "node:crypto";
import { type Backend, createWasmBackend, type Tensor } from "@gpt2-ts/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/model/config.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import { initialModel } from "../../src/model/initialize.ts";
import type { Model } from "../../src/model/model.ts";
import { Trainer, type TrainingOptions, train } from "../../src/train/index.ts";

const config = parseConfig(
  JSON.stringify({ model_type: "gpt2", n_layer: 2, n_head: 2, n_embd: 16, n_positions: 32, vocab_size: 64 }),
  "config.json",
);

/** Tokens with something to learn: each mostly follows from the one before. */
function tokens(count: number): Uint16Array {
  const ids = new Uint16Array(count);
  for (let i = 1; i < count; i++) ids[i] = i % 7 === 0 ? (i * 31) % 64 : (ids[i - 1]! * 5 + 3) % 64;
  return ids;
}
const data = { train: tokens(4000), heldOut: tokens(4500).subarray(4000) };
const options = { steps: 10, batchTokens: 128, microBatchTokens: 64, learningRate: 1e-2, warmupSteps: 2 } as const;

const devices: Backend[] = [];
function newDevice(threads = 1): ReturnType<typeof createWasmBackend> {
  const device = createWasmBackend({ threads, deterministic: true });
  devices.push(device);
  return device;
}
afterAll(() => {
  for (const device of devices as ReturnType<typeof createWasmBackend>[]) device.dispose();
});
const device = newDevice();

function hashOf(tensors: ReadonlyMap<string, Tensor>): string {
  const hash = createHash("sha256");
  for (const [name, tensor] of tensors) hash.update(name).update(new Uint8Array(tensor.dataSync().buffer));
  return hash.digest("hex");
}

/** Trains a new model; the hash of weights and running means, and the losses. */
async function trained(given: TrainingOptions, on: Backend = device): Promise<{ hash: string; losses: number[] }> {
  return withModel(async (model) => {
    using trainer = new Trainer(model, data, { ...options, ...given });
    const losses: number[] = [];
    while (!trainer.finished) losses.push((await trainer.step()).loss);
    return { hash: hashOf(trainer.state()), losses };
  }, on);
}

async function withModel<Result>(body: (model: Model) => Promise<Result>, on: Backend = device): Promise<Result> {
  const model = initialModel(config, { seed: 3, device: on });
  try {
    return await body(model);
  } finally {
    disposeModel(model);
  }
}

describe("a training", () => {
  it("learns: the loss of held-out text falls from that of guessing", () =>
    withModel(async (model) => {
      const seen: string[] = [];
      const result = await train(model, data, {
        ...options,
        steps: 30,
        evalEvery: 15,
        onProgress: (progress) => {
          if (progress.type === "evaluation" || progress.step % 10 === 0)
            seen.push(`${progress.type} ${progress.step}`);
          if (progress.type === "evaluation" && progress.step === 0) {
            expect(progress.heldOutLoss).toBeCloseTo(Math.log(64), 1);
          }
        },
      });
      expect(seen).toEqual(["evaluation 0", "step 10", "evaluation 15", "step 20", "step 30", "evaluation 30"]);
      expect(result.step).toBe(30);
      expect(result.heldOutLoss).toBeLessThan(3.5);
      expect(result.best).toEqual({ step: 30, loss: result.heldOutLoss });
    }));

  it("has the same bits with 1, 2 and 3 threads, and from run to run", async () => {
    const given = { dropout: 0.1, steps: 3 };
    const first = await trained(given);
    expect(await trained(given)).toEqual(first);
    for (const threads of [2, 3]) expect(await trained(given, newDevice(threads))).toEqual(first);
  });

  it("goes on from a state with the bits that it would have had", () =>
    withModel(async (model) => {
      const whole = await trained({ dropout: 0.2 });
      using before = new Trainer(model, data, { ...options, dropout: 0.2 });
      for (let i = 0; i < 5; i++) await before.step();
      using after = new Trainer(model, data, { ...options, dropout: 0.2 });
      const saved = before.state();
      for (const [name, tensor] of after.state()) if (/\.[mv]$/.test(name)) tensor.copy_(saved.get(name)!);
      after.resume(before.position);
      const losses: number[] = [];
      while (!after.finished) losses.push((await after.step()).loss);
      expect(losses).toEqual(whole.losses.slice(5));
      expect(hashOf(after.state())).toBe(whole.hash);
    }));

  it("does not depend on how a step is divided, but for rounding", async () => {
    for (const dropout of [0, 0.3]) {
      const { losses: whole } = await trained({ microBatchTokens: 128, steps: 4, dropout });
      const { losses: parts } = await trained({ microBatchTokens: 32, steps: 4, dropout });
      for (const [i, loss] of whole.entries()) expect(parts[i]).toBeCloseTo(loss, 4);
    }
  });

  it("drops the share that it is told to, and nothing when it looks at held-out text", () =>
    withModel(async (model) => {
      using plain = new Trainer(model, data, options);
      using dropping = new Trainer(model, data, { ...options, dropout: 0.5 });
      expect(await dropping.evaluate()).toBe(await plain.evaluate());
      const first = { steps: 1, warmupSteps: 0 };
      const without = (await trained(first)).losses[0]!;
      const with_ = (await trained({ ...first, dropout: 0.5 })).losses[0]!;
      expect(with_).not.toBe(without);
      expect(Math.abs(with_ - without)).toBeLessThan(0.2);
    }));

  it("leaves frozen weights as they are, and learns nothing of them by heart", () =>
    withModel(async (model) => {
      using trainer = new Trainer(model, data, { ...options, freeze: ["h.0.*", "wpe.weight"] });
      const before = new Map([...trainer.weights()].map(([name, tensor]) => [name, tensor.dataSync().slice()]));
      await trainer.step();
      for (const [name, tensor] of trainer.weights()) {
        const isFrozen = name.startsWith("h.0.") || name === "wpe.weight";
        expect(Buffer.from(tensor.dataSync().buffer).equals(Buffer.from(before.get(name)!.buffer)), name).toBe(
          isFrozen,
        );
      }
      expect([...trainer.state().keys()].filter((name) => name.startsWith("h.0.") && name.endsWith(".m"))).toEqual([]);
    }));

  it("keeps memory flat, frees what it used, and runs kernels of the device only", () =>
    withModel(async (model) => {
      const idle = device.info().usedBytes;
      const trainer = new Trainer(model, data, { ...options, steps: 1000, dropout: 0.1 });
      const used: number[] = [];
      for (let i = 0; i < 20; i++) {
        await trainer.step();
        await trainer.evaluate();
        used.push(device.info().usedBytes);
      }
      expect(new Set(used.slice(2)).size).toBe(1);
      trainer.dispose();
      expect(device.info().usedBytes).toBe(idle);
      expect(device.fallbacks.entries()).toEqual([]);
    }));

  it("stops at a loss that is not finite, names the step, and leaves the weights of the step before", () =>
    withModel(async (model) => {
      using trainer = new Trainer(model, data, {
        ...options,
        learningRate: 1e30,
        minLearningRate: 1e30,
        warmupSteps: 0,
      });
      await trainer.step();
      const before = hashOf(trainer.state());
      const failure = await trainer.step().catch((error: unknown) => error as Error);
      expect(failure).toMatchObject({ name: "TrainingError", step: 2 });
      expect(String(failure)).toMatch(
        /^TrainingError: step 2: the (loss|norm of the gradients) is (NaN|Infinity); a lower/,
      );
      expect(hashOf(trainer.state())).toBe(before);
      expect(trainer.position.step).toBe(1);
    }));

  it("stops when it is told to, between two passes", () =>
    withModel(async (model) => {
      const controller = new AbortController();
      using trainer = new Trainer(model, data, options);
      await trainer.step(controller.signal);
      const before = hashOf(trainer.state());
      const reason = new Error("enough");
      const step = trainer.step(controller.signal);
      controller.abort(reason);
      await expect(step).rejects.toBe(reason);
      expect(hashOf(trainer.state())).toBe(before);
      await expect(train(model, data, { ...options, signal: controller.signal })).rejects.toBe(reason);
    }));

  it.each<[TrainingOptions & Record<string, unknown>, string]>([
    [{ lr: 1 }, "lr: there is no such option"],
    [{ steps: 0 }, "steps: expected an integer from 1, got 0"],
    [{ context: 64 }, "context: the model has 32 positions; got 64"],
    [{ batchTokens: 100, context: 32 }, "batchTokens: expected a multiple of the context, 32, got 100"],
    [{ microBatchTokens: 33 }, "microBatchTokens: expected a multiple of the context, 32, got 33"],
    [{ learningRate: 0 }, "learningRate: expected a number above 0, got 0"],
    [{ minLearningRate: 1 }, "minLearningRate: expected a number from 0 to the learning rate, 0.01, got 1"],
    [{ warmupSteps: 11 }, "warmupSteps: expected at most the 10 steps that there are, got 11"],
    [{ dropout: 1 }, "dropout: expected a number from 0 to below 1, got 1"],
    [{ freeze: ["h.7.*"] }, 'freeze: no weight is called "h.7.*"; there are wte.weight, wpe.weight,'],
    [{ freeze: ["*"] }, "freeze: nothing would be left to train"],
  ])("refuses %o", (given, message) =>
    withModel(async (model) => {
      expect(() => new Trainer(model, data, { ...options, ...given } as TrainingOptions)).toThrow(message);
    }),
  );

  it("refuses data that is too short, and tokens that the model does not have", () =>
    withModel(async (model) => {
      const short = { train: tokens(32), heldOut: tokens(0) };
      expect(() => new Trainer(model, short, options)).toThrow(
        "context: the text has 32 tokens to learn from; sequences of 32 need at least 33",
      );
      const foreign = { train: Uint16Array.from({ length: 100 }, () => 64), heldOut: tokens(0) };
      expect(() => new Trainer(model, foreign, options)).toThrow(/token id 64 .* outside the vocabulary/);
      expect(() => new Trainer(model, { train: tokens(100), heldOut: tokens(1) }, options)).toThrow("heldOut: ");
    }));
});
