import type { Storage, View } from "../backends/backend.ts";
import type { OpCall, OpListener } from "../observe.ts";
import { isProduct, type RanOp, type Work, workOf } from "./work.ts";

/** The calls of one operation with operands of one shape (and, if it has one, one weight). */
export interface OpTime extends Work {
  /** The operation, or the weight that it multiplies by. */
  readonly title: string;
  /** `M×K×N` of a product, or the shape of the result. */
  readonly shape: string;
  readonly calls: number;
  /** Of all these calls. */
  readonly milliseconds: number;
}

/** Says which weight a storage is, as an operation uses it; undefined of what is none. */
export type NameOf = (op: string, storage: Storage) => string | undefined;

interface TimedOp extends RanOp {
  readonly milliseconds: number;
}

/** Operations that are remembered one by one before they are summed up: more than a pass has, and bounded. */
const MOST_AT_ONCE = 4096;

/**
 * Sums up what operations took, on a device that is done when they return:
 *
 *     const profiler = new Profiler();
 *     observe(profiler, () => model.logits("To be"));
 *     for (const { title, calls, milliseconds } of profiler.take()) console.log(title, calls, milliseconds);
 *
 * What an operation costs is reckoned when it is asked for, not while time is taken.
 */
export class Profiler implements OpListener {
  readonly #nameOf: NameOf;
  #ran: TimedOp[] = [];
  #sums = new Map<string, OpTime>();

  constructor(nameOf: NameOf = () => undefined) {
    this.#nameOf = nameOf;
  }

  after({ op, inputs, params }: OpCall, outputs: readonly View[], milliseconds = 0): void {
    this.add({ op: op.name, inputs, params, outputs }, milliseconds);
  }

  /** Counts something that no device ran, such as {@link TO_JAVASCRIPT}. */
  add(ran: RanOp, milliseconds: number): void {
    this.#ran.push({ ...ran, milliseconds });
    if (this.#ran.length === MOST_AT_ONCE) this.#sumUp();
  }

  /** The operations since it was last asked, by title and shape, in the order of the first of each. */
  take(): OpTime[] {
    this.#sumUp();
    const sums = this.#sums;
    this.#sums = new Map();
    return [...sums.values()];
  }

  #sumUp(): void {
    for (const one of this.#ran) {
      const title = this.#titleOf(one);
      const shape = shapeOf(one);
      const { operations, bytes, arithmetic } = workOf(one);
      const key = `${title} ${shape}`;
      const sum = this.#sums.get(key) ?? {
        title,
        shape,
        calls: 0,
        milliseconds: 0,
        operations: 0,
        bytes: 0,
        arithmetic,
      };
      this.#sums.set(key, {
        ...sum,
        calls: sum.calls + 1,
        milliseconds: sum.milliseconds + one.milliseconds,
        operations: sum.operations + operations,
        bytes: sum.bytes + bytes,
      });
    }
    this.#ran = [];
  }

  #titleOf({ op, inputs, params }: RanOp): string {
    const names = inputs.flatMap(({ storage }) => this.#nameOf(op, storage) ?? []);
    const activation = (params as { readonly activation?: string } | undefined)?.activation ?? "none";
    const title = isProduct(op) && names.length > 0 ? names.join(" ") : [op, ...names].join(" ");
    return activation === "none" ? title : `${title}, ${activation}`;
  }
}

function shapeOf({ op, inputs, outputs }: RanOp): string {
  if (!isProduct(op)) return outputs[0]!.shape.join("×");
  return [...inputs[0]!.shape, inputs[1]!.shape.at(-1)!].join("×");
}
