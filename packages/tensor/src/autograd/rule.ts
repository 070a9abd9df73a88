import type { Op, View } from "../backends/backend.ts";
import type { FullResults, OpCall } from "../observe.ts";
import type { Tensor } from "../tensor.ts";

/** Which operands and results a rule reads: one flag for each; what is not there is not read. */
export interface Saves {
  readonly inputs?: readonly boolean[];
  readonly outputs?: readonly boolean[];
}

/** A gradient that adds itself to what there is: to a window of zeros, or of the sum of the others. */
export interface Adding {
  addTo(window: Tensor): void;
}

/**
 * The gradient of an operand, in its shape (with a size of 1 where the operand was stretched, if it is summed already); undefined
 * where it is zero, or nobody asked.
 */
export type Contribution = Tensor | Adding | undefined;

/** One call of an operation, when its gradients are computed. */
export interface Taped<Params = unknown> {
  readonly params: Params;
  /** For each operand, whether its gradient is asked for. */
  readonly needs: readonly boolean[];
  /** The windows that the operands were: their shapes and strides, but not their elements. */
  readonly operands: readonly View[];
  /** The gradient of the loss by the first result. */
  readonly dy: Tensor;
  /** The gradients by all results; undefined where the loss does not depend on one. */
  readonly dys: readonly (Tensor | undefined)[];
  /** Operand `i`, which the rule must have named in `saves`. */
  input(i: number): Tensor;
  /** Result `i` (the first, unless told otherwise), which the rule must have named in `saves`. */
  output(i?: number): Tensor;
  /** Adds to the gradient by operand `i` at once: for rules that compute several gradients in one go. */
  addTo(i: number, add: Adding["addTo"]): void;
  /** What {@link Rule.forward} kept, which the rule may write to; undefined if the operation ran in its own way. */
  kept(i: number): Tensor | undefined;
}

/** How the gradients of an operation's operands follow from those of its results. */
export interface Rule<Params = unknown> {
  /** Whether a call with such parameters has a gradient. Default: every one has. */
  applies?(params: Params): boolean;
  /** Operands that choose (indices, conditions) and have no gradient: the result does not depend on them but in jumps. */
  readonly discrete?: readonly number[];
  /** What the tape keeps for {@link Rule.gradients}, for the operands that need a gradient. */
  saves(needs: readonly boolean[], params: Params): Saves;
  /**
   * Runs the operation so that it leaves behind what the gradients need besides, with the bits that it has otherwise. Runs unrecorded,
   * and may return undefined: then the operation runs in its own way. Default: that.
   */
  forward?(call: OpCall, needs: readonly boolean[]): FullResults | undefined;
  /**
   * The gradients, one for each operand. Runs inside a `tidy`, unrecorded; a gradient may be a view of `dy`, or `dy` itself, or
   * the same tensor twice.
   */
  gradients(taped: Taped<Params>): readonly Contribution[];
}

/** An operation and its rule. */
export type RuleEntry = readonly [op: Op<never>, rule: Rule<never>];

/** Declares the rule of an operation, with the parameters that the operation has. */
export function rule<Params>(op: Op<Params>, of: Rule<Params>): RuleEntry {
  return [op, of];
}

const nothing: Saves = {};
const theOperand: Saves = { inputs: [true] };
const theResult: Saves = { outputs: [true] };

/** The rule of a function of one operand x whose gradient does not depend on x. */
export function fromGradient<Params>(op: Op<Params>, dx: (dy: Tensor, params: Params) => Tensor): RuleEntry {
  return rule(op, { saves: () => nothing, gradients: ({ dy, params }) => [dx(dy, params)] });
}

/** The rule of a function of one operand x that is computed from x. */
export function fromOperand<Params>(op: Op<Params>, dx: (dy: Tensor, x: Tensor) => Tensor): RuleEntry {
  return rule(op, { saves: () => theOperand, gradients: ({ dy, input }) => [dx(dy, input(0))] });
}

/** The rule of a function y of one operand that is computed from y. */
export function fromResult<Params>(op: Op<Params>, dx: (dy: Tensor, y: Tensor) => Tensor): RuleEntry {
  return rule(op, { saves: () => theResult, gradients: ({ dy, output }) => [dx(dy, output())] });
}

/** The rule of an operation in steps, such as rounding: its gradient is zero wherever it has one. */
export function zeroGradient<Params>(op: Op<Params>): RuleEntry {
  return rule(op, { saves: () => nothing, gradients: () => [] });
}
