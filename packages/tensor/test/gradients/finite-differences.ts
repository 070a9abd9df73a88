import type { View } from "../../src/backends/backend.ts";
import { forEachIndex } from "../../src/backends/reference/iterate.ts";
import { type AnyTensor, Tensor, tidy, valueAndGrad } from "../../src/index.ts";
import { placeBase } from "../ops/operands.ts";
import { elementsOf, Float64Backend } from "./float64-backend.ts";
import { lossOf, type OpSample } from "./loss.ts";

/** Elements of a parameter that are moved one by one; all of them are moved together as well. */
const ELEMENTS = 12;
const STEP = 2 ** -12;
/** For functions with a bend within the first step: a wrong gradient is wrong with this one too. */
const SHORT_STEP = STEP / 256;
/** From here on the short step is tried. */
const LARGE = 1e-8;
/** Errors of smaller derivatives are taken relative to this. */
const SMALLEST = 1e-3;

/** The largest relative error of an op's gradients against finite differences of its results: see {@link largestErrorOf}. */
export function largestError(sample: OpSample): number {
  const device = new Float64Backend();
  const bases = sample.inputs.map((input) => owned(placeBase(device, input)));
  const parameters = bases.filter(({ dtype }) => dtype === "float32") as Tensor[];
  return largestErrorOf(device, parameters, () => lossOf(sample, bases));
}

/**
 * The largest relative error of the gradients of `loss` by `parameters` against central differences, all in float64.
 *
 * @throws Error if the loss is another one under the tape, or memory is left behind
 */
export function largestErrorOf(device: Float64Backend, parameters: readonly Tensor[], loss: () => Tensor<[]>): number {
  const held = device.live;
  const value = (): number => tidy(() => loss().dataSync()[0]!);
  const taped = valueAndGrad(parameters, loss);
  const found = taped.value.dataSync()[0]!;
  if (found !== value()) throw new Error(`the loss is ${found} under the tape, ${value()} without it`);
  const slopes = taped.gradients.map((gradient) => {
    const elements = elementsOf(gradient.storage);
    return placesOf(gradient).map((at) => elements[at]!);
  });
  for (const tensor of [taped.value, ...taped.gradients]) tensor.dispose();
  if (device.live !== held) throw new Error(`${device.live - held} storages are left behind`);
  return Math.max(0, ...parameters.map((parameter, n) => errorOf(parameter, slopes[n]!, value)));
}

/** The largest error of the gradient with respect to the elements of a parameter, from which `value` follows. */
function errorOf(parameter: View, gradient: readonly number[], value: () => number): number {
  const elements = elementsOf(parameter.storage);
  const places = placesOf(parameter);
  const count = Math.min(places.length, ELEMENTS);
  const one = Array.from({ length: count }, (_, j) => [Math.floor(((j + 0.5) * places.length) / count)]);
  const errors = [...one, [...places.keys()]].map((moved) => {
    const parts = moved.map((i) => direction(i) * gradient[i]!);
    const slope = parts.reduce((sum, part) => sum + part, 0);
    const size = parts.reduce((sum, part) => sum + Math.abs(part), 0);
    const at = (t: number): number => {
      const before = moved.map((i) => elements[places[i]!]!);
      for (const i of moved) elements[places[i]!]! += t * direction(i);
      const result = value();
      for (const [j, i] of moved.entries()) elements[places[i]!] = before[j]!;
      return result;
    };
    const error = (step: number): number => Math.abs(difference(at, step) - slope) / Math.max(SMALLEST, size);
    const first = error(STEP);
    return first <= LARGE ? first : Math.min(first, error(SHORT_STEP)); // NaN stays NaN
  });
  return Math.max(0, ...errors);
}

/** f′(0) up to h⁴f⁽⁵⁾/30. */
function difference(f: (t: number) => number, h: number): number {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

/** Of elements that are moved together: some up, some down. */
function direction(i: number): number {
  return (i * 7) % 5 < 2 ? -1 : 1;
}

/** Where the elements of a view are in its storage, row-major. */
function placesOf(view: View): number[] {
  const places: number[] = [];
  forEachIndex(view.shape, [view], ([at]) => places.push(at!));
  return places;
}

/** The tensor that from now on holds the view's storage. */
export function owned(view: View): AnyTensor {
  const tensor = new Tensor(view);
  view.storage.release();
  return tensor;
}
