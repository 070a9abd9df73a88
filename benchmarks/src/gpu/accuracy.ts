/** Logits of the gpu device against float64. */
import { disposeModel, loadModel, modelSource } from "@gpt2-ts/gpt2";
import { createGpuBackend, type GpuMode } from "@gpt2-ts/tensor/gpu";
import { prefill } from "../accuracy/passes.ts";
import { ensureCheckpoint } from "../checkpoint.ts";
import { ErrorMeter, readReference } from "../reference-values.ts";
import type { SyntheticName } from "../synthetic.ts";
import type { GpuErrors } from "./result.ts";

/** Issue 3, "Done when" 2. */
const BOUND: Readonly<Record<GpuMode, number>> = {
  webgpu: 2e-4,
  webasm: 2e-4,
  cpu: 2e-4,
  webgl2: 1e-3,
  headlessgl: 1e-3,
};

/** The longest prompt of `model` with at most `longest` tokens, in these modes. @throws Error beyond the bound */
export async function measureErrors(
  model: SyntheticName,
  longest: number,
  modes: readonly GpuMode[],
): Promise<GpuErrors[]> {
  const folder = await ensureCheckpoint(model);
  const prompt = (await readReference(model)).findLast(({ ids }) => ids.length <= longest);
  if (prompt === undefined) throw new RangeError(`${model} has no reference of ${longest} tokens or fewer`);
  const found: GpuErrors[] = [];
  for (const mode of modes) {
    const device = await createGpuBackend({ mode });
    const weights = await loadModel(await modelSource(folder), { device });
    // The residual stream is observed synchronously, which a GPU does not allow.
    const values = await prefill(weights, { ...prompt, hidden: undefined });
    const logits = new ErrorMeter().add(values.logits, prompt.logits).summary();
    disposeModel(weights);
    device.dispose();
    const tokens = prompt.ids.length;
    console.log(`${model}, ${tokens} tokens, ${mode}: largest error ${logits.max.toExponential(1)}`);
    if (!(logits.max < BOUND[mode])) throw new Error(`${model} in mode ${mode}: off by ${logits.max}`);
    found.push({ model, mode, tokens, logits });
  }
  return found;
}
