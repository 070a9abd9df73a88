import type { Sample } from "../../../packages/tensor/test/ops/generators.ts";
import { evaluateLater, type Values } from "../../../packages/tensor/test/ops/operands.ts";
import { calls } from "../../../packages/tensor/test/ops/table.ts";
import { type BrowserMode, backendIn } from "./gpu-checks.ts";

/** What the gpu device makes of samples of one op, and the ops among them that it left to the CPU. */
export async function ops(mode: BrowserMode, op: string, samples: readonly Sample[]) {
  const device = await backendIn(mode);
  device.fallbacks.clear();
  const values: Values[][] = [];
  for (const { inputs, args } of samples) {
    values.push(await evaluateLater(device as never, inputs, (views) => calls[op]!(views, args)));
  }
  return { values, fallbacks: device.fallbacks.entries() };
}
