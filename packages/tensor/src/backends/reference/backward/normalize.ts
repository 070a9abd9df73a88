import type { Kernel } from "../../backend.ts";
import { forEachRow } from "../iterate.ts";
import type { LayerNormParams } from "../normalize.ts";
import { storeVector } from "./columns.ts";

/**
 * The gradients of y = n·weight + bias, n = (x − μ)·r, r = 1/√(σ² + ε), for g = dy·weight:
 * dx = r·(g − mean(g) − n·mean(g·n)), dWeight = Σ dy·n and dBias = Σ dy over all rows (as llm.c's `layernorm_backward`).
 * x, dy and dx [..., C]; weight, dWeight and dBias [C].
 */
export const layerNormBackwardKernel: Kernel<LayerNormParams> = (
  [x, weight, dy],
  { epsilon },
  [dx, dWeight, dBias],
) => {
  const C = weight!.shape[0]!;
  const normal = new Float64Array(C);
  const gradient = new Float64Array(C);
  const weightSums = new Float64Array(C);
  const biasSums = new Float64Array(C);
  forEachRow(x!.shape, [x!, dy!, dx!], ([atX, atDy, atDx], _, [stepX, stepDy, stepDx]) => {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += x!.data[atX! + c * stepX!]!;
    const mean = sum / C;
    let squares = 0;
    for (let c = 0; c < C; c++) {
      const deviation = x!.data[atX! + c * stepX!]! - mean;
      squares += deviation * deviation;
    }
    const scale = 1 / Math.sqrt(squares / C + epsilon);
    let sumOfGradients = 0;
    let sumOfProducts = 0;
    for (let c = 0; c < C; c++) {
      const n = (x!.data[atX! + c * stepX!]! - mean) * scale;
      const d = dy!.data[atDy! + c * stepDy!]!;
      const g = d * weight!.data[weight!.offset + c * weight!.strides[0]!]!;
      normal[c] = n;
      gradient[c] = g;
      sumOfGradients += g;
      sumOfProducts += g * n;
      weightSums[c] = weightSums[c]! + d * n;
      biasSums[c] = biasSums[c]! + d;
    }
    for (let c = 0; c < C; c++) {
      const inner = gradient[c]! - sumOfGradients / C - normal[c]! * (sumOfProducts / C);
      dx!.data[atDx! + c * stepDx!] = scale * inner;
    }
  });
  storeVector(weightSums, dWeight!);
  storeVector(biasSums, dBias!);
};
