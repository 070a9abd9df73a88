import type { Kernel } from "../backend.ts";
import { forEachRow } from "./iterate.ts";

export interface LayerNormParams {
  readonly epsilon: number;
}

/**
 * out[…, c] = (x[…, c] − μ)/√(σ² + ε)·weight[c] + bias[c], with the mean μ and the variance σ² (over C, not C − 1) of
 * x[…, :] (Ba, Kiros, Hinton, "Layer Normalization", 2016): x and out [..., C], weight and bias [C].
 */
export const layerNormKernel: Kernel<LayerNormParams> = (inputs, { epsilon }, outputs) => {
  const x = inputs[0]!;
  const weight = inputs[1]!;
  const bias = inputs[2]!;
  const out = outputs[0]!;
  const data = x.data as Float32Array;
  forEachRow(out.shape, [x, out], (at, C, step) => {
    const start = at[0]!;
    let sum = 0;
    for (let c = 0; c < C; c++) sum += data[start + c * step[0]!]!;
    const mean = sum / C;
    let squares = 0;
    for (let c = 0; c < C; c++) {
      const deviation = data[start + c * step[0]!]! - mean;
      squares += deviation * deviation;
    }
    const scale = 1 / Math.sqrt(squares / C + epsilon);
    for (let c = 0; c < C; c++) {
      const normal = (data[start + c * step[0]!]! - mean) * scale;
      const w = weight.data[weight.offset + c * weight.strides[0]!]!;
      const b = bias.data[bias.offset + c * bias.strides[0]!]!;
      out.data[at[1]! + c * step[1]!] = normal * w + b;
    }
  });
};
