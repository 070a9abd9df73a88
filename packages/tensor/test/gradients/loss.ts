import { type AnyTensor, fromData, Tensor, tidy } from "../../src/index.ts";
import type { Sample } from "../ops/generators.ts";
import { viewed } from "../ops/operands.ts";
import { calls } from "../ops/table.ts";

/** The case of an op: what it is called with. */
export interface OpSample extends Sample {
  readonly op: string;
}

/**
 * One number out of all float results of an op: the sum of element i of result r times {@link cotangent}. `bases` are the operands' data,
 * of which the views are taken here.
 */
export function lossOf({ op, inputs, args }: OpSample, bases: readonly AnyTensor[]): Tensor<[]> {
  return tidy(() => {
    const views = bases.map((base, n) => viewed(base, inputs[n]!));
    const results = [calls[op]!(views, args)].flat().map((view) => new Tensor(view));
    const losses = results.flatMap((result, r) => {
      if (result.dtype !== "float32") return [];
      const weights = Array.from({ length: result.size }, (_, i) => cotangent(i, r));
      return [result.mul(fromData(weights, result.shape, { device: result.device })).sum()];
    });
    return losses.reduce((sum, loss) => sum.add(loss)) as Tensor<[]>;
  });
}

/** As in fixtures/make_fixtures.py: exact in float32. */
function cotangent(i: number, r: number): number {
  return (((37 * i + 11 * r) % 17) - 8) / 8;
}
