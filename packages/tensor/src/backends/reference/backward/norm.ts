import type { Kernel } from "../../backend.ts";
import { forEachIndex } from "../iterate.ts";

/** out = Σ x²: x [...], out []. */
export const squaredNormKernel: Kernel<undefined> = ([x], _, [out]) => {
  let sum = 0;
  forEachIndex(x!.shape, [x!], ([at]) => {
    sum += x!.data[at!]! * x!.data[at!]!;
  });
  out!.data[out!.offset] = sum;
};
