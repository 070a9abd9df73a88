import type { Storage, View } from "../backends/backend.ts";
import { GradientError } from "../errors.ts";
import { zeros } from "../functional/creation.ts";
import { tidy } from "../memory.ts";
import { type FullResults, type OpCall, type Recorder, recording } from "../observe.ts";
import { copy, copyOp } from "../ops/rearrange.ts";
import { Tensor, wrap } from "../tensor.ts";
import type { GradientBuffers } from "./gradient-buffers.ts";
import type { Contribution, Rule, Taped } from "./rule.ts";
import { rules } from "./rules/index.ts";

/** A tensor whose gradient is asked for, and where it stands among the weights. */
export interface Parameter {
  readonly path: string;
  readonly view: View;
}

/** A storage whose elements depend on a parameter. */
interface Dependent {
  /** The number of the node that first wrote to it; -1 for a parameter's. */
  readonly birth: number;
  /** The operation without a gradient through which it depends on a parameter. */
  readonly cut: string | undefined;
}

/** A call that a gradient goes back through. */
interface Node {
  readonly call: OpCall;
  readonly outputs: readonly View[];
  readonly needs: readonly boolean[];
  readonly rule: Rule;
  /** An operation without a gradient through which an operand depends on a parameter. */
  readonly cut: string | undefined;
  readonly inputsSaved: readonly boolean[];
  readonly outputsSaved: readonly boolean[];
  /** What the rule's own way to run it kept. */
  readonly kept: readonly View[];
  /** Whether it wrote to memory that existed. */
  readonly inPlace: boolean;
}

/**
 * What ran between parameters and a loss, in order, and the gradients that follow from it. It sees every operation where all of them
 * pass (backends/dispatch.ts), and writes down those whose operands depend on a parameter. A storage is the identity of a memory, so
 * views are none of its business. It retains what the rules need, whatever becomes of the tensors.
 */
export class Tape implements Recorder {
  readonly #dependents = new Map<Storage, Dependent>();
  readonly #parameters = new Map<Storage, string>();
  /** For storages that a rule will read: the operation, and how many calls. */
  readonly #saved = new Map<Storage, { readonly op: string; count: number }>();
  readonly #nodes: Node[] = [];

  constructor(parameters: readonly Parameter[]) {
    for (const { path, view } of parameters) {
      this.#parameters.set(view.storage, path);
      this.#dependents.set(view.storage, { birth: -1, cut: undefined });
    }
  }

  /** The number of calls that were written down and have not been gone back through. */
  get length(): number {
    return this.#nodes.length;
  }

  beforeWrite({ op, inputs }: OpCall, targets: readonly View[]): void {
    if (op !== copyOp && this.#touches([...inputs, ...targets])) {
      throw new GradientError(`${op.name}_`, "writes in place what depends on the weights, and has no gradient");
    }
    for (const { storage } of targets) {
      const path = this.#parameters.get(storage);
      if (path !== undefined) {
        throw new GradientError(`${op.name}_`, `writes to ${path}, by which gradients are being computed`);
      }
      const saved = this.#saved.get(storage);
      if (saved) {
        const what = `writes to memory that the gradient of ${saved.op} reads; write to a copy of it`;
        throw new GradientError(`${op.name}_`, what);
      }
    }
  }

  run(call: OpCall): FullResults | undefined {
    if (!this.#touches(call.inputs)) return undefined;
    const rule = ruleFor(call, false);
    if (rule?.forward === undefined) return undefined;
    const needs = this.#sourcesOf(call, rule).map((source) => source !== undefined);
    return needs.includes(true) ? recording(undefined, () => rule.forward!(call, needs)) : undefined;
  }

  record(call: OpCall, outputs: readonly View[], inPlace: boolean, kept: readonly View[]): void {
    const { op, inputs, params } = call;
    if (inPlace ? !this.#touches([...inputs, ...outputs]) : !this.#touches(inputs)) return;
    if (outputs[0]!.storage === inputs[0]!.storage) return; // a matrix that needs no packing
    const rule = ruleFor(call, inPlace);
    const sources = this.#sourcesOf(call, rule);
    if (!inPlace && sources.every((source) => source === undefined)) return;
    const cut = sources.find((source) => source?.cut !== undefined)?.cut;
    const needs = sources.map((source) => source !== undefined);
    const number = this.#nodes.length;
    let isNode = false;
    for (const { storage, dtype } of outputs) {
      const float = dtype === "float32" && rule !== undefined;
      isNode ||= float;
      if (this.#dependents.has(storage)) continue; // written to before
      if (needs.includes(true))
        this.#dependents.set(storage, { birth: number, cut: float ? undefined : (cut ?? op.name) });
    }
    if (!isNode) return;
    const saves = rule!.saves(needs, params);
    const inputsSaved = inputs.map((_, i) => saves.inputs?.[i] ?? false);
    const outputsSaved = outputs.map((_, i) => saves.outputs?.[i] ?? false);
    const node: Node = { call, outputs, needs, rule: rule!, cut, inputsSaved, outputsSaved, kept, inPlace };
    this.#nodes.push(node);
    for (const storage of savedBy(node)) {
      storage.retain();
      const saved = this.#saved.get(storage);
      if (saved) saved.count++;
      else this.#saved.set(storage, { op: op.name, count: 1 });
    }
  }

  /**
   * Refuses a loss to which gradients do not go back.
   *
   * @throws GradientError if it does not depend on a parameter, or does so through an operation without a gradient
   */
  check(loss: View): void {
    const own = this.#dependents.get(loss.storage);
    if (own === undefined) {
      throw new GradientError("valueAndGrad", "the loss depends on none of the weights (within noGrad, nothing does)");
    }
    if (own.cut !== undefined) throw noGradientOf(own.cut);
    const reached = new Set([loss.storage]);
    for (const { call, outputs, needs, cut } of this.#nodes.toReversed()) {
      if (!outputs.some(({ storage }) => reached.has(storage))) continue;
      if (cut !== undefined) throw noGradientOf(cut);
      for (const [i, { storage }] of call.inputs.entries()) if (needs[i]) reached.add(storage);
    }
  }

  /** Goes back from the loss, whose gradient is in `gradients`, call by call, and lets go of each. Parameters' gradients stay there. */
  goBack(gradients: GradientBuffers): void {
    for (let node = this.#nodes.at(-1); node; node = this.#nodes.at(-1)) {
      if (node.outputs.some((output) => gradients.windowOf(output))) {
        tidy(() => (node.inPlace ? overwritten(node, gradients) : contribute(node, gradients)));
      }
      this.#letGo();
      const number = this.#nodes.length;
      for (const { storage } of node.outputs) {
        if (this.#dependents.get(storage)?.birth === number) gradients.release(storage);
      }
    }
  }

  /** Lets go of all that it retains. */
  dispose(): void {
    while (this.#nodes.length > 0) this.#letGo();
    this.#dependents.clear();
  }

  /** What each operand depends on, if that is a parameter. */
  #sourcesOf({ inputs }: OpCall, rule: Rule | undefined): (Dependent | undefined)[] {
    return inputs.map(({ storage }, i) => (rule?.discrete?.includes(i) ? undefined : this.#dependents.get(storage)));
  }

  #touches(views: readonly View[]): boolean {
    for (const { storage } of views) if (this.#dependents.has(storage)) return true;
    return false;
  }

  /** Lets go of the last call. */
  #letGo(): void {
    for (const storage of savedBy(this.#nodes.pop()!)) {
      const saved = this.#saved.get(storage)!;
      if (--saved.count === 0) this.#saved.delete(storage);
      storage.release();
    }
  }
}

/** How a copy into memory that existed goes back: what was overwritten has no gradient, and what it was overwritten with gets it. */
const copyInPlace: Rule = { saves: () => ({}), gradients: ({ dy }) => [dy] };

function ruleFor({ op, params }: OpCall, inPlace: boolean): Rule | undefined {
  if (inPlace) return op === copyOp ? copyInPlace : undefined;
  const rule = rules.get(op) as Rule | undefined;
  return rule?.applies?.(params) === false ? undefined : rule;
}

function* savedBy({ call, outputs, inputsSaved, outputsSaved, kept }: Node): Generator<Storage> {
  for (const [i, { storage }] of call.inputs.entries()) if (inputsSaved[i]) yield storage;
  for (const [i, { storage }] of outputs.entries()) if (outputsSaved[i]) yield storage;
  for (const { storage } of kept) yield storage;
}

/** Adds what a call's operands contribute to the loss. */
function contribute(node: Node, gradients: GradientBuffers): void {
  const { call, outputs, needs, rule } = node;
  const dys = outputs.map((output) => {
    const window = gradients.windowOf(output);
    return window && new Tensor(window);
  });
  const contributions = rule.gradients(taped(node, dys, gradients)).map((each, i) => (needs[i] ? each : undefined));
  // Memory of forward results is theirs; that of a gradient by a result belongs to whoever comes last, because nobody needs it then.
  const uses = new Map<Storage, number>();
  const storageOf = (each: Contribution): Storage | undefined => (each && "storage" in each ? each.storage : undefined);
  for (const each of contributions) {
    const storage = storageOf(each);
    if (storage) uses.set(storage, (uses.get(storage) ?? 0) + 1);
  }
  const forward = new Set([...call.inputs, ...outputs].map(({ storage }) => storage));
  for (const [i, each] of contributions.entries()) {
    if (each === undefined) continue;
    const storage = storageOf(each);
    const left = storage ? uses.get(storage)! - 1 : 0;
    if (storage) uses.set(storage, left);
    gradients.add(call.inputs[i]!, each, storage !== undefined && left === 0 && !forward.has(storage));
  }
}

/** Hands the gradient of what was overwritten to what it was overwritten with, and leaves none where it stood. */
function overwritten({ call, outputs, needs }: Node, gradients: GradientBuffers): void {
  const [target] = outputs as [View];
  const window = new Tensor(gradients.windowOf(target)!);
  if (needs[0]) gradients.add(call.inputs[0]!, wrap(copy(window)), true);
  window.copy_(zeros([], { device: window.device }) as Tensor<never>);
}

function taped(
  { call, outputs, needs, inputsSaved, outputsSaved, kept }: Node,
  dys: Taped["dys"],
  gradients: GradientBuffers,
): Taped {
  const { op, inputs, params } = call;
  const read = (views: readonly View[], saved: readonly boolean[], i: number): Tensor => {
    if (!saved[i]) throw new Error(`the gradient of ${op.name} reads what it does not save`);
    return new Tensor(views[i] as View<"float32">);
  };
  return {
    params,
    needs,
    operands: inputs,
    dys,
    get dy() {
      return dys[0]!;
    },
    input: (i) => read(inputs, inputsSaved, i),
    output: (i = 0) => read(outputs, outputsSaved, i),
    addTo: (i, addTo) => gradients.add(inputs[i]!, { addTo }, false),
    kept: (i) => kept[i] && new Tensor(kept[i] as View<"float32">),
  };
}

function noGradientOf(op: string): GradientError {
  return new GradientError(
    op,
    "has no gradient, and the loss depends on the weights through it; what is meant as a constant can be computed within noGrad(() => …)",
  );
}
