import { erf } from "../../functional/elementwise.ts";
import type { Tensor } from "../../tensor.ts";

/** The activations whose gradients are computed from their operand. */
export type OperandActivation = "gelu" | "geluExact" | "silu" | "quickGelu";

/** dx = f′(x)·dy */
export function activationGradient(activation: OperandActivation, x: Tensor, dy: Tensor): Tensor {
  return derivatives[activation](x).mul(dy);
}

const derivatives: Readonly<Record<OperandActivation, (x: Tensor) => Tensor>> = {
  // ½x(1 + t), t = tanh(u), u = √(2/π)(x + 0.044715x³): ½(1 + t) + ½x(1 − t²)u′
  gelu(x) {
    const scale = Math.sqrt(2 / Math.PI);
    const x2 = x.square();
    const t = x.mul(x2.mul(0.044715).add(1)).mul(scale).tanh();
    const du = x2
      .mul(3 * 0.044715)
      .add(1)
      .mul(scale);
    const slope = t.square().neg().add(1).mul(du).mul(x);
    return t.add(1).add(slope).mul(0.5);
  },
  // x·Φ(x): Φ(x) + x·φ(x), the distribution and the density of the standard normal distribution
  geluExact(x) {
    const density = x
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI));
    return erf(x.mul(Math.SQRT1_2)).add(1).mul(0.5).add(x.mul(density));
  },
  // x·σ(x)
  silu: (x) => timesSigmoid(x, 1),
  // x·σ(1.702x)
  quickGelu: (x) => timesSigmoid(x, 1.702),
};

/** x·σ(kx): s + kx·s(1 − s), s = σ(kx) */
function timesSigmoid(x: Tensor, k: number): Tensor {
  const scaled = x.mul(k);
  const s = scaled.sigmoid();
  return s.add(s.sub(s.square()).mul(scaled));
}
