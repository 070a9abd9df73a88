import type { DType } from "../dtype.ts";
import { DeviceError, DisposedError } from "../errors.ts";
import { observed, watched } from "../observe.ts";
import { contiguousStrides, sizeOf } from "../shape.ts";
import type { Backend, Op, Spec, Storage, View } from "./backend.ts";

/** A row-major view of a whole storage. */
export function wholeView<D extends DType>(storage: Storage<D>, shape: readonly number[]): View<D> {
  return { storage, dtype: storage.dtype, shape, strides: contiguousStrides(shape), offset: 0 };
}

/**
 * The one place every op goes through: finds the operands' device, makes room for the outputs and has the device run it.
 */
export function dispatch<Params, const Specs extends readonly Spec[]>(
  op: Op<Params>,
  inputs: readonly View[],
  params: Params,
  specs: Specs,
): { [I in keyof Specs]: View<Specs[I]["dtype"]> } {
  const backend = commonBackend(op.name, inputs);
  const outputs = watched
    ? observed({ op, inputs, params }, backend.synchronous, undefined, () => run(backend, op, inputs, params, specs))
    : run(backend, op, inputs, params, specs);
  return outputs as { [I in keyof Specs]: View<Specs[I]["dtype"]> };
}

function run<Params>(
  backend: Backend,
  op: Op<Params>,
  inputs: readonly View[],
  params: Params,
  specs: readonly Spec[],
): readonly View[] {
  const outputs: View[] = [];
  try {
    for (const { dtype, shape } of specs) outputs.push(wholeView(backend.allocate(dtype, sizeOf(shape)), shape));
    backend.execute(op, inputs, params, outputs);
  } catch (error) {
    for (const { storage } of outputs) discard(storage);
    throw error;
  }
  return outputs;
}

/**
 * Runs an op into memory that exists: for the few in-place operations on buffers.
 * @throws DeviceError for a packed matrix, whose elements were encoded when it was made
 */
export function dispatchInto<Params>(
  op: Op<Params>,
  inputs: readonly View[],
  params: Params,
  outputs: readonly View[],
): void {
  const backend = commonBackend(op.name, [...inputs, ...outputs]);
  if (outputs.some(({ storage }) => storage.packed)) {
    throw new DeviceError(backend.name, `${op.name}_: a packed matrix cannot be written to; write first, then pack()`);
  }
  const execute = (): readonly View[] => {
    backend.execute(op, inputs, params, outputs);
    return outputs;
  };
  if (watched) observed({ op, inputs, params }, backend.synchronous, outputs, execute);
  else execute();
}

/** Gives back a fresh storage that no tensor looks at. */
export function discard(storage: Storage): void {
  storage.retain();
  storage.release();
}

function commonBackend(op: string, inputs: readonly View[]): Backend {
  const first = inputs[0]!.storage.backend;
  for (const { storage } of inputs) {
    if (storage.freed) throw new DisposedError();
    if (storage.backend !== first) {
      throw new DeviceError(
        first.name,
        `${op}: operands are on different devices (${first.name} and ${storage.backend.name}); move one with to(device)`,
      );
    }
  }
  return first;
}
