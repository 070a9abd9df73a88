import { disposeModel, loadModel, modelSource, weightsFor } from "@gpt2-ts/gpt2";
import { describe, expect, test } from "vitest";
import { candidates } from "../src/accuracy/backends.ts";
import { ensureCheckpoint } from "../src/checkpoint.ts";
import { compareSteps, marksOf, readTrainingReference, trainingTokens } from "../src/training-reference.ts";

/** The plain loops take seconds a step. */
const STEPS = { reference: 3, others: 10 };

// `npm run bench:gradients` does the same with the 124M shape.
describe.each(candidates())("steps of training on $name", ({ name, backend }) => {
  test("have PyTorch's losses and gradients", async () => {
    const folder = await ensureCheckpoint("synthetic-tiny");
    const model = await loadModel(await modelSource(folder), { device: backend, trainable: true });
    const reference = await readTrainingReference("synthetic-tiny");
    const names = weightsFor(model.config).map(({ name }) => name);
    expect(Object.keys(reference.steps[0]!.gradients!).sort()).toEqual(names.sort());
    let steps = 0;
    for await (const { step, lossError, normError, gradients } of compareSteps(model, reference)) {
      expect(lossError, `loss of step ${step}`).toBeLessThan(1e-5);
      expect(normError, `norm of step ${step}`).toBeLessThan(1e-4);
      expect(gradients !== undefined).toBe(step <= 3);
      if (gradients !== undefined) {
        expect(gradients.norm.error, `norm of ${gradients.norm.tensor}`).toBeLessThan(1e-4);
        expect(gradients.projection.error, `projection of ${gradients.projection.tensor}`).toBeLessThan(1e-4);
      }
      steps = step;
      if (name === "reference" && step === STEPS.reference) break;
    }
    expect(steps).toBe(name === "reference" ? STEPS.reference : STEPS.others);
    disposeModel(model);
  });
});

test("a gradient's marks tell it from one with two elements exchanged, or another sign", () => {
  const gradient = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i));
  const marks = marksOf("h.0.ln_1.weight", gradient);
  const exchanged = Float32Array.from(gradient);
  [exchanged[3], exchanged[4]] = [gradient[4]!, gradient[3]!];
  expect(marksOf("h.0.ln_1.weight", exchanged).projections).not.toEqual(marks.projections);
  const negative = marksOf(
    "h.0.ln_1.weight",
    gradient.map((g) => -g),
  );
  expect(negative).toEqual({ norm: marks.norm, projections: marks.projections.map((p) => -p) });
});

test("each step has tokens of its own, as reference/training.py makes them", () => {
  // From Python: lowbias32(np.arange(3) + 4096 * (16 * 2 + 1)) % 50257
  expect([...trainingTokens(2, 1, 2, 50_257)]).toEqual([45_093, 49_563, 4_578]);
});
