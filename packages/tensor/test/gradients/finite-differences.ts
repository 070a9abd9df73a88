import type { View } from "../../src/backends/backend.ts";
import { forEachIndex } from "../../src/backends/reference/iterate.ts";
import { type AnyTensor, Tensor, tidy, valueAndGrad } from "../../src/index.ts";
import { placeBase } from "../ops/operands.ts";
import { elementsOf, Float64Backend } from "./float64-backend.ts";
import { lossOf, type OpSample } from "./loss.ts";

/** Elements of a parameter that are moved one by one; all of them are moved together as well. */
const ELEMENTS = 12;
/**
 * The first that makes the error small counts. Shorter ones are for functions with a bend within a longer one, or which change their
 * slope fast; the rounding of their values counts more then. A wrong gradient is wrong with all of them.
 */
const STEPS = [2 ** -12, 2 ** -15, 2 ** -20];
const SMALL = 1e-8;
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
  if (!Object.is(found, value())) throw new Error(`the loss is ${found} under the tape, ${value()} without it`);
  const slopes = taped.gradients.map((gradient) => {
    const elements = elementsOf(gradient.storage);
    return placesOf(gradient).map((at) => elements[at]!);
  });
  for (const tensor of [taped.value, ...taped.gradients]) tensor.dispose();
  if (device.live !== held) throw new Error(`${device.live - held} storages are left behind`);
  // A mean of nothing is NaN, whatever the memory around holds.
  if (!Number.isFinite(found)) return Math.max(0, ...slopes.flat().map(Math.abs));
  return Math.max(0, ...parameters.map((parameter, n) => errorOf(parameter, slopes[n]!, value)));
}

/** The largest error of the gradient with respect to the elements of a parameter, from which `value` follows. */
function errorOf(parameter: View, gradient: readonly number[], value: () => number): number {
  const elements = elementsOf(parameter.storage);
  const places = placesOf(parameter);
  if (places.length === 0) return 0;
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
    let least = Number.NaN;
    for (const step of STEPS) {
      const error = Math.abs(difference(at, step) - slope) / Math.max(SMALLEST, size);
      if (!(error >= least)) least = error;
      if (least <= SMALL) break;
    }
    return least;
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
