/** Times every op of a backend from outside: what the kernels do is not theirs to report. */
import type { Backend, Shape, Storage, Tensor } from "@gpt2-ts/tensor";
import { ReadBuffers } from "../engines/read-buffers.ts";
import { type Call, isProduct, LOGITS_TO_JAVASCRIPT, type Work, workOf } from "./accounting.ts";

/** The calls of one op with operands of one shape (and, if it has one, one weight). */
export interface OpTime extends Work {
  /** The op, or the weight that it multiplies by. */
  readonly title: string;
  /** `M×K×N` of a product, or the shape of the result. */
  readonly shape: string;
  readonly calls: number;
  readonly milliseconds: number;
}

/** Says which weight a storage is, as an op uses it; undefined of what is none. */
export type NameOf = (op: string, storage: Storage) => string | undefined;

interface TimedCall extends Call {
  readonly milliseconds: number;
}

/** Takes the place of a backend's `execute`. What an op costs is reckoned afterwards, when nothing is timed. */
export class Recorder {
  readonly #nameOf: NameOf;
  readonly #buffers = new ReadBuffers();
  #calls: TimedCall[] = [];

  constructor(backend: Backend, nameOf: NameOf) {
    this.#nameOf = nameOf;
    const execute: Backend["execute"] = backend.execute.bind(backend);
    backend.execute = (op, inputs, params, outputs) => {
      const start = performance.now();
      execute(op, inputs, params, outputs);
      this.#calls.push({ op: op.name, inputs, params, outputs, milliseconds: performance.now() - start });
    };
  }

  /** The elements of a pass's result, the copy timed as if it were an op. */
  async read(tensor: Tensor<Shape>): Promise<Float32Array> {
    const start = performance.now();
    const data = await tensor.data(this.#buffers.ofLength(tensor.size));
    const milliseconds = performance.now() - start;
    this.#calls.push({
      op: LOGITS_TO_JAVASCRIPT,
      inputs: [tensor],
      params: undefined,
      outputs: [tensor],
      milliseconds,
    });
    return data;
  }

  /**
   * The calls since it was last asked, by title and shape, in the order of the first of each.
   *
   * @throws UnknownOpError
   */
  take(): OpTime[] {
    const calls = this.#calls;
    this.#calls = [];
    const ops = new Map<string, OpTime>();
    for (const call of calls) {
      const title = this.#titleOf(call);
      const shape = shapeOf(call);
      const { operations, bytes, arithmetic } = workOf(call);
      const key = `${title} ${shape}`;
      const sum = ops.get(key) ?? { title, shape, calls: 0, milliseconds: 0, operations: 0, bytes: 0, arithmetic };
      ops.set(key, {
        ...sum,
        calls: sum.calls + 1,
        milliseconds: sum.milliseconds + call.milliseconds,
        operations: sum.operations + operations,
        bytes: sum.bytes + bytes,
      });
    }
    return [...ops.values()];
  }

  #titleOf({ op, inputs, params }: Call): string {
    const names = inputs.flatMap(({ storage }) => this.#nameOf(op, storage) ?? []);
    const activation = (params as { readonly activation?: string } | undefined)?.activation ?? "none";
    const title = isProduct(op) && names.length > 0 ? names.join(" ") : [op, ...names].join(" ");
    return activation === "none" ? title : `${title}, ${activation}`;
  }
}

function shapeOf({ op, inputs, outputs }: Call): string {
  if (!isProduct(op)) return outputs[0]!.shape.join("×");
  return [...inputs[0]!.shape, inputs[1]!.shape.at(-1)!].join("×");
}
