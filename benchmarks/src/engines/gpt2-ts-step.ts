/** Whole steps of our own training, by the functions that `train` is made of. */
import { loadModel, modelSource, namedWeights } from "@gpt2-ts/gpt2";
import { lossOf, trainingBatch } from "@gpt2-ts/gpt2/train";
import { AdamW, clipScale, createWasmBackend, gradientNorm, valueAndGrad } from "@gpt2-ts/tensor";
import { ADAMW, CLIP, type StepEngine, type StepOutcome, type StepSpec } from "./step-engine.ts";

export async function loadGpt2TsSteps({ model: folder, threads }: StepSpec): Promise<StepEngine> {
  const device = createWasmBackend({ threads });
  const model = await loadModel(await modelSource(folder), { device, trainable: true });
  const weights = Object.fromEntries(Array.from(namedWeights(model), ([{ name }, tensor]) => [name, tensor]));
  const optimizer = new AdamW(weights, ADAMW);
  const { relaxedSimd } = device.info();
  let step = 0;
  return {
    facts: { engine: "gpt2-ts", backend: "wasm", threads, relaxedSimd },
    async run(batches) {
      const outcomes: StepOutcome[] = [];
      const start = performance.now();
      for (const sequences of batches) {
        using batch = trainingBatch(model, sequences);
        const { value, gradients } = valueAndGrad(weights, () => lossOf(model, batch));
        using loss = value;
        const norm = await gradientNorm(gradients);
        optimizer.step(gradients, { step: ++step, gradientScale: clipScale(norm, CLIP) });
        for (const gradient of Object.values(gradients)) gradient.dispose();
        outcomes.push({ loss: await loss.item(), norm });
      }
      return { seconds: (performance.now() - start) / 1000, outcomes };
    },
    fallbacks: () => device.fallbacks.entries().map(({ op, reason }) => `${op}: ${reason}`),
    deviceBytes: () => device.info().peakBytes,
  };
}
