import type { Kernel } from "../../backend.ts";
import { forEachRow } from "../iterate.ts";
import { exp } from "../math.ts";

/** dx[j] = y[j]·(dy[j] − Σₖ y[k]·dy[k]) along the last axis, for y = softmax(x). */
export const softmaxBackwardKernel: Kernel<undefined> = /* @__PURE__ */ alongRows((y, dy, length) => {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += y(k) * dy(k);
  return (j) => y(j) * (dy(j) - sum);
});

/** dx[j] = dy[j] − e^y[j]·Σₖ dy[k] along the last axis, for y = logSoftmax(x). */
export const logSoftmaxBackwardKernel: Kernel<undefined> = /* @__PURE__ */ alongRows((y, dy, length) => {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += dy(k);
  return (j) => dy(j) - exp(y(j)) * sum;
});

type At = (index: number) => number;

function alongRows(gradient: (y: At, dy: At, length: number) => At): Kernel<undefined> {
  return ([y, dy], _, [dx]) => {
    forEachRow(y!.shape, [y!, dy!, dx!], ([atY, atDy, atDx], length, [stepY, stepDy, stepDx]) => {
      const yAt: At = (j) => y!.data[atY! + j * stepY!]!;
      const dyAt: At = (j) => dy!.data[atDy! + j * stepDy!]!;
      const dxAt = gradient(yAt, dyAt, length);
      for (let j = 0; j < length; j++) dx!.data[atDx! + j * stepDx!] = dxAt(j);
    });
  };
}
