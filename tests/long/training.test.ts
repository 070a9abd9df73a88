import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { expect, it } from "vitest";
import { initialModel } from "../../packages/gpt2/src/model/initialize.ts";
import { newConfig, Trainer } from "../../packages/gpt2/src/train/index.ts";

const STEPS = 500;
/** Steps after which everything that is made once has been made. */
const SETTLED = 20;
/** For what V8 compiles meanwhile: 0.9 MB were measured. To keep the 3 kB of a step's tokens would take 1.4 MB more. */
const HEAP = 2_000_000;

it(`takes the same memory after ${STEPS} steps as after ${SETTLED}, on the device and in JavaScript`, async () => {
  const device = createWasmBackend({ threads: 2 });
  const config = newConfig({ layers: 3, heads: 4, channels: 64, context: 64, vocabSize: 512 });
  const model = initialModel(config, { seed: 1, device });
  const train = Uint16Array.from({ length: 40_000 }, (_, i) => (i * i) % 509);
  const data = { train: train.subarray(0, 39_000), heldOut: train.subarray(39_000) };
  using trainer = new Trainer(model, data, { steps: STEPS, batchTokens: 256, microBatchTokens: 128, dropout: 0.1 });
  const after = new Map<number, { readonly heap: number; readonly device: readonly number[] }>();
  for (let step = 1; step <= STEPS; step++) {
    await trainer.step();
    if (step % SETTLED === 0) await trainer.evaluate();
    if (step !== SETTLED && step !== STEPS) continue;
    await collect();
    const { usedBytes, peakBytes, memoryBytes } = device.info();
    after.set(step, { heap: process.memoryUsage().heapUsed, device: [usedBytes, peakBytes, memoryBytes] });
  }
  const [early, late] = [after.get(SETTLED)!, after.get(STEPS)!];
  console.log(`device: ${late.device.join(", ")} bytes; heap: ${early.heap} bytes, then ${late.heap}`);
  expect(late.device).toEqual(early.device);
  expect(late.heap - early.heap).toBeLessThan(HEAP);
  expect(device.fallbacks.entries()).toEqual([]);
  device.dispose();
});

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    gc();
    await setImmediate();
  }
}
