import type { View } from "../../src/backends/backend.ts";
import { forEachIndex } from "../../src/backends/reference/iterate.ts";
import { type AnyTensor, Tensor, tidy, valueAndGrad } from "../../src/index.ts";
import { placeBase } from "../ops/operands.ts";
import { elementsOf, Float64Backend } from "./float64-backend.ts";
import { lossOf, type OpSample } from "./loss.ts";

/** Elements of an operand that are moved one by one; all of them are moved together as well. */
const ELEMENTS = 12;
const STEP = 2 ** -12;
/** For samples with a bend within the first step: a wrong gradient is wrong with this one too. */
const SHORT_STEP = STEP / 256;
/** Errors of smaller derivatives are taken relative to this. */
const SMALLEST = 1e-3;

/**
 * The largest relative error of an op's gradients against central differences of its results, all in float64.
 *
 * @throws Error if the value is another one under the tape, or memory is left behind
 */
export function largestError(sample: OpSample): number {
  const device = new Float64Backend();
  const bases = sample.inputs.map((input) => owned(placeBase(device, input)));
  const parameters = bases.filter(({ dtype }) => dtype === "float32") as Tensor[];
  const held = device.live;
  const loss = (): number => tidy(() => lossOf(sample, bases).dataSync()[0]!);
  const { value, gradients } = valueAndGrad(parameters, () => lossOf(sample, bases));
  if (value.dataSync()[0] !== loss()) throw new Error(`${value.dataSync()[0]} under the tape, ${loss()} without it`);
  const slopes = gradients.map(elementsIn);
  for (const tensor of [value, ...gradients]) tensor.dispose();
  if (device.live !== held) throw new Error(`${device.live - held} storages are left behind`);
  const errors = parameters.map(({ storage }, n) => errorOf(elementsOf(storage) as Float64Array, slopes[n]!, loss));
  return Math.max(0, ...errors);
}

/** The largest error of the gradient with respect to `elements`, from which `loss` follows. */
function errorOf(elements: Float64Array, gradient: readonly number[], loss: () => number): number {
  const N = elements.length;
  const moves = Array.from({ length: Math.min(N, ELEMENTS) }, (_, j) => [
    Math.floor(((j + 0.5) * N) / Math.min(N, ELEMENTS)),
  ]);
  const errors = [...moves, [...elements.keys()]].map((moved) => {
    const slopes = moved.map((i) => direction(i) * gradient[i]!);
    const slope = slopes.reduce((sum, part) => sum + part, 0);
    const scale = Math.max(
      SMALLEST,
      slopes.reduce((sum, part) => sum + Math.abs(part), 0),
    );
    const at = (t: number): number => {
      const before = moved.map((i) => elements[i]!);
      for (const i of moved) elements[i]! += t * direction(i);
      const result = loss();
      for (const [j, i] of moved.entries()) elements[i] = before[j]!;
      return result;
    };
    const error = (step: number): number => Math.abs(difference(at, step) - slope) / scale;
    const first = error(STEP);
    return first <= 1e-8 ? first : Math.min(first, error(SHORT_STEP)); // NaN stays NaN
  });
  return Math.max(0, ...errors);
}

/** f′(0) up to h⁴f⁽⁵⁾/30. */
function difference(f: (t: number) => number, h: number): number {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

/** Of the elements that are moved together: some up, some down. */
function direction(i: number): number {
  return (i * 7) % 5 < 2 ? -1 : 1;
}

function elementsIn(view: View): number[] {
  const elements = elementsOf(view.storage);
  const values: number[] = [];
  forEachIndex(view.shape, [view], ([at]) => values.push(elements[at!]!));
  return values;
}

/** The tensor that from now on holds the view's storage. */
function owned(view: View): AnyTensor {
  const tensor = new Tensor(view);
  view.storage.release();
  return tensor;
}
