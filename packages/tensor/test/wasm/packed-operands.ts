import type { Backend, Op, View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import type { MatrixEncoding } from "../../src/encodings/index.ts";
import { sizeOf } from "../../src/shape.ts";
import type { HostView } from "../wasm-kernels/harness.ts";

export function upload(backend: Backend, { data, dtype, shape, strides, offset }: HostView): View {
  const storage = backend.upload(dtype, data as never);
  storage.retain();
  return { storage, dtype, shape, strides, offset };
}

/** A packed matrix, retained once. */
export function pack(backend: Backend, host: HostView, encoding: MatrixEncoding): View<"float32"> {
  const source = upload(backend, host) as View<"float32">;
  const packed = backend.pack(source, encoding);
  if (packed.storage !== source.storage) {
    packed.storage.retain();
    source.storage.release();
  }
  return packed;
}

/** Runs an op of one float32 output on operands on the host or on the device. */
export function execute<Params>(
  backend: Backend,
  op: Op<Params>,
  inputs: readonly (HostView | View)[],
  params: Params,
  shape: readonly number[],
): Float32Array {
  const views = inputs.map((input) => ("data" in input ? upload(backend, input) : input));
  const out = wholeView(backend.allocate("float32", sizeOf(shape)), shape);
  out.storage.retain();
  backend.execute(op, views, params, [out]);
  const result = backend.readSync(out.storage).slice();
  out.storage.release();
  views.forEach((view, i) => {
    if ("data" in inputs[i]!) view.storage.release();
  });
  return result;
}
