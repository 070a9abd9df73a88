import type { Storage, View } from "../backends/backend.ts";
import { GradientError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { showShape, sizeOf } from "../shape.ts";
import { type AnyTensor, Tensor } from "../tensor.ts";
import type { GradientBuffers } from "./gradient-buffers.ts";
import type { Parameter } from "./tape.ts";
import { tensorsIn } from "./weights.ts";
import { isInjective, sameLayout } from "./windows.ts";

/** Where the gradients by the parameters end: in tensors of their own, or in those that a caller gave. */
export class GradientTargets {
  readonly #parameters: readonly Parameter[];
  readonly #into: readonly View[] | undefined;
  readonly #buffers: GradientBuffers;
  /** Storages whose gradients are added up where the caller wants them, from the start. */
  readonly #inPlace = new Set<Storage>();

  /** @throws GradientError if `into` has not the structure and the shapes of the parameters */
  constructor(parameters: readonly Parameter[], into: unknown, buffers: GradientBuffers) {
    this.#parameters = parameters;
    this.#buffers = buffers;
    this.#into = into === undefined ? undefined : checked(parameters, into);
    if (this.#into) this.#addUpInPlace(this.#into);
  }

  /** The gradients of all parameters, once they are computed; of equal parameters the same tensor. */
  finish(): AnyTensor[] {
    if (this.#into) return this.#accumulated(this.#into);
    const made: { readonly view: View; readonly tensor: Tensor }[] = [];
    return this.#parameters.map(({ view }) => {
      const same = made.find((other) => isSame(other.view, view));
      if (same) return same.tensor;
      const tensor = new Tensor(this.#buffers.windowOrZeros(view));
      made.push({ view, tensor });
      return tensor;
    });
  }

  #accumulated(into: readonly View[]): AnyTensor[] {
    const done = new Set<View>();
    for (const [i, { view }] of this.#parameters.entries()) {
      const target = into[i] as Tensor;
      if (this.#inPlace.has(view.storage) || done.has(target)) continue;
      done.add(target);
      const gradient = this.#buffers.windowOf(view);
      if (gradient) tidy(() => target.copy_(target.add(new Tensor(gradient)) as Tensor<never>));
    }
    return into as unknown as AnyTensor[];
  }

  /** Finds the storages for which all of `into` are the same windows on one buffer as the parameters are on them. */
  #addUpInPlace(into: readonly View[]): void {
    const targets = new Map<Storage, Storage | undefined>();
    for (const [i, { view }] of this.#parameters.entries()) {
      const target = into[i]!;
      const fits = target.storage.length === view.storage.length && sameLayout(target, view);
      const other = targets.has(view.storage) ? targets.get(view.storage) : target.storage;
      targets.set(view.storage, fits && other === target.storage ? target.storage : undefined);
    }
    const taken = new Set<Storage>();
    for (const [of, target] of targets) {
      if (target === undefined || taken.has(target)) continue;
      taken.add(target);
      this.#inPlace.add(of);
      this.#buffers.provide(of, target as Storage<"float32">);
    }
  }
}

function checked(parameters: readonly Parameter[], into: unknown): View[] {
  const targets = tensorsIn(into, "into");
  for (const [i, { path, view }] of parameters.entries()) {
    const found = targets[i];
    const expected = path.replace("weights", "into");
    const refuse = (what: string): never => {
      throw new GradientError("valueAndGrad", `${expected} ${what}; give what an earlier call returned`);
    };
    if (found?.path !== expected) refuse(`must be a gradient, as ${path} is a weight`);
    const target = found!.view;
    const fits = target.shape.length === view.shape.length && target.shape.every((n, axis) => n === view.shape[axis]);
    if (target.dtype !== "float32" || !fits || target.storage.packed || !isInjective(target)) {
      refuse(`must be float32 ${showShape(view.shape)}, got ${target.dtype} ${showShape(target.shape)}`);
    }
    if (target.storage.backend !== view.storage.backend) refuse(`is not on the device of ${path}`);
    if (parameters.some((other) => other.view.storage === target.storage)) refuse("is the memory of a weight");
  }
  if (targets.length > parameters.length) {
    const more = targets[parameters.length]!.path;
    throw new GradientError("valueAndGrad", `${more} is the gradient of no weight; give what an earlier call returned`);
  }
  return targets.map(({ view }) => view);
}

function isSame(a: View, b: View): boolean {
  return (
    a.storage === b.storage &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, axis) => size === b.shape[axis]) &&
    (sizeOf(a.shape) === 0 || sameLayout(a, b))
  );
}
