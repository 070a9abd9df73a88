/**
 * `npm run bench:gradients`: steps of training on the synthetic checkpoints, compared with PyTorch's in float64.
 *
 *     npm run bench:gradients -- [--model synthetic-tiny|synthetic-124m]... [--deterministic]
 *
 * The loss of each step, the norm of each gradient and eight projections of each (`reference/training.py`). Exits with status 1 where
 * one is beyond its bound, or an operation of a step has no wasm kernel. Takes about a minute, and 3 GB for the larger model.
 */
import { parseArgs } from "node:util";
import { disposeModel, loadModel, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { ensureCheckpoint } from "./checkpoint.ts";
import { chosen } from "./command-line.ts";
import { SYNTHETIC_NAMES } from "./synthetic.ts";
import { compareSteps, readTrainingReference } from "./training-reference.ts";

/** In nats. */
const LOSS_BOUND = 1e-5;
/** Of norms, relative; of projections, relative to the gradient's norm. */
const GRADIENT_BOUND = 1e-4;

const { values: options } = parseArgs({
  options: {
    model: { type: "string", multiple: true, default: [...SYNTHETIC_NAMES] },
    deterministic: { type: "boolean", default: false },
  },
});

let failed = false;
for (const name of chosen("bench:gradients", "model", options.model, SYNTHETIC_NAMES)) {
  const device = createWasmBackend({ deterministic: options.deterministic });
  const model = await loadModel(await modelSource(await ensureCheckpoint(name)), { device, trainable: true });
  console.log(`\n${name}, wasm, ${device.info().threads} threads`);
  for await (const { step, loss, lossError, normError, gradients } of compareSteps(
    model,
    await readTrainingReference(name),
  )) {
    const parts = [`step ${step}: loss ${loss.toFixed(6)} (off by ${lossError.toExponential(1)})`];
    parts.push(`norm of all gradients off by ${normError.toExponential(1)}`);
    const errors = [normError];
    for (const what of ["norm", "projection"] as const) {
      const largest = gradients?.[what];
      if (largest === undefined) continue;
      parts.push(`largest error of a ${what} ${largest.error.toExponential(1)} (${largest.tensor})`);
      errors.push(largest.error);
    }
    const holds = lossError <= LOSS_BOUND && errors.every((error) => error <= GRADIENT_BOUND);
    failed ||= !holds;
    console.log(`${holds ? "  " : "! "}${parts.join(", ")}`);
  }
  for (const { op, reason, count } of device.fallbacks.entries()) {
    failed = true;
    console.log(`! ${op} ran without a wasm kernel, ${count} times: ${reason}`);
  }
  disposeModel(model);
}
if (failed) console.error("\nFAILED: the lines that begin with !");
process.exit(failed ? 1 : 0);
