import type { Op, View } from "./backends/backend.ts";
import { DeviceError, DisposedError, ShapeMismatchError } from "./errors.ts";
import { isPromise, tidy } from "./memory.ts";
import { showValue } from "./options.ts";
import { showShape } from "./shape.ts";

/** A call of an operation on a device. Views (transpose, slice, reshape, …) run none. */
export interface OpCall {
  /** Its name, and the reference kernel that defines it. One object for each operation. */
  readonly op: Op<never>;
  /**
   * The operands: windows (shape, strides, offset) on storages. A storage is the identity of a memory: the one that an op wrote to
   * is the one that a later op reads.
   */
  readonly inputs: readonly View[];
  /** What else the operation needs to know, such as an epsilon; undefined where there is nothing. */
  readonly params: unknown;
}

/**
 * Watches operations run. Tensors that a listener makes are freed when its function returns, unless it takes them out with
 * `keep`: `keep(new Tensor(outputs[0]))` keeps a result, without a copy. Operations that a listener runs are not observed.
 */
export interface OpListener {
  /** Called before an operation runs. What it throws reaches the operation's caller, and the operation does not run. */
  before?(call: OpCall): void;
  /**
   * Called after an operation has run.
   *
   * @param outputs its results; for operations on memory that exists, such as `copy_`, that memory
   * @param milliseconds what the device took; undefined on devices that work later (`gpu`)
   * @returns other results to replace them, if any: of the same shapes and element types, on the same device
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that only looks returns nothing
  after?(call: OpCall, outputs: readonly View[], milliseconds: number | undefined): readonly View[] | void;
}

/**
 * Writes down what operations did, so that gradients can be computed from it. Other than a listener it sees the operations that
 * listeners run, because their results may replace others.
 */
export interface Recorder {
  /** Called before an operation writes to memory that exists. What it throws reaches the operation's caller. */
  beforeWrite(call: OpCall, targets: readonly View[]): void;
  /**
   * Runs an operation in another way that has the same results, if it needs more of it than these. Not asked about operations that
   * write to memory that exists.
   */
  run(call: OpCall): FullResults | undefined;
  /** Called after an operation has run; `outputs` existed before if it wrote in place. `kept`: what {@link Recorder.run} kept. */
  record(call: OpCall, outputs: readonly View[], inPlace: boolean, kept: readonly View[]): void;
}

/** An operation's results, and what else was computed on the way; nobody retains them yet. */
export interface FullResults {
  readonly outputs: readonly View[];
  readonly kept: readonly View[];
}

/** Whether anyone sees operations: without, an operation pays for one comparison. */
export let watched = false;

/** The listeners, outermost first; undefined if there are none. */
let listeners: readonly OpListener[] | undefined;

let recorder: Recorder | undefined;

function setListeners(next: readonly OpListener[]): void {
  listeners = next.length > 0 ? next : undefined;
  watched = listeners !== undefined || recorder !== undefined;
}

function setRecorder(next: Recorder | undefined): void {
  recorder = next;
  watched = listeners !== undefined || recorder !== undefined;
}

/** Has `next` (or nobody, if undefined) record the operations of `body`, in place of whoever did; `body` is synchronous. */
export function recording<Result>(next: Recorder | undefined, body: () => Result): Result {
  const before = recorder;
  setRecorder(next);
  try {
    return body();
  } finally {
    setRecorder(before);
  }
}

/** Whether operations are being recorded. */
export function isRecording(): boolean {
  return recorder !== undefined;
}

/** Listeners that were stopped, perhaps by one of them while an operation was shown. */
const stopped = new WeakSet<OpListener>();

/**
 * Shows `listener` every operation that `body` runs, on all devices.
 *
 *     observe({ after: ({ op }, [out]) => console.log(op.name, out.shape) }, () => model.hiddenStates("To be"));
 *
 * Listeners nest: the inner one is called between the outer one's `before` and `after`, and the outer one sees the results that the
 * inner one returns. Moving data to and from a device (`tensor`, `data`, `to`) and filling packed matrices piece by piece are no
 * operations; packing a matrix is one, named `pack`, that changes no value. On `gpu` an operation is seen when it is launched, and
 * a compiled one while it is recorded.
 *
 * @throws TypeError if `body` returns a promise, whose operations would not be seen: see {@link startObserving}
 */
export function observe<Result>(listener: OpListener, body: () => Result): Result {
  const stop = startObserving(listener);
  try {
    const result = body();
    if (isPromise(result)) {
      throw new TypeError("observe: the function must be synchronous, it returned a promise; use startObserving");
    }
    return result;
  } finally {
    stop();
  }
}

/**
 * Shows `listener` every operation from now on, until the returned function is called: for work that awaits, such as a generation.
 * Otherwise like {@link observe}.
 */
export function startObserving(listener: OpListener): () => void {
  if (typeof listener?.before !== "function" && typeof listener?.after !== "function") {
    throw new TypeError(`observe: expected a listener with a function before or after, got ${showValue(listener)}`);
  }
  const own: OpListener = { ...bound(listener) }; // a new object, because a listener may be started twice
  setListeners([...(listeners ?? []), own]);
  return () => {
    stopped.add(own);
    setListeners((listeners ?? []).filter((other) => other !== own));
  };
}

function bound(listener: OpListener): OpListener {
  const { before, after } = listener;
  return { ...(before && { before: before.bind(listener) }), ...(after && { after: after.bind(listener) }) };
}

/**
 * Runs an operation, has it recorded and calls the listeners.
 *
 * @param targets the memory that it writes to, if that exists
 * @param run runs it, and returns its results: fresh memory that nobody retains yet, unless there are targets
 * @returns the results, which may be others than `run`'s
 */
export function observed(
  call: OpCall,
  synchronous: boolean,
  targets: readonly View[] | undefined,
  run: () => readonly View[],
): readonly View[] {
  const present = listeners;
  if (present === undefined) return recorded(call, targets, run);
  quietly(() => {
    for (const listener of present) if (!stopped.has(listener)) tidy(() => listener.before?.(call));
  });
  const start = performance.now();
  let outputs = recorded(call, targets, run);
  const milliseconds = synchronous ? performance.now() - start : undefined;
  for (const listener of present.toReversed()) {
    const { after } = listener;
    if (after === undefined || stopped.has(listener)) continue;
    const shown = outputs;
    outputs = holding(shown, () => {
      let chosen = shown;
      quietly(() => {
        tidy(() => {
          const others = after(call, shown, milliseconds);
          if (others === undefined) return;
          checkReplacement(call.op.name, shown, others, targets !== undefined);
          chosen = others;
          // The tensors are freed at the end of this scope; the memory stays.
          for (const { storage } of others) storage.retain();
        });
      });
      return chosen;
    });
    if (outputs !== shown) for (const { storage } of outputs) storage.handOn();
  }
  return outputs;
}

function recorded(call: OpCall, targets: readonly View[] | undefined, run: () => readonly View[]): readonly View[] {
  if (recorder === undefined) return run();
  if (targets) recorder.beforeWrite(call, targets);
  const active = recorder;
  const full = targets ? undefined : quietly(() => active.run(call));
  const { outputs, kept } = full ?? { outputs: run(), kept: [] };
  recorder.record(call, outputs, targets !== undefined, kept);
  return outputs;
}

/** Keeps fresh results from being freed by a listener that makes and disposes of tensors over them. */
function holding(outputs: readonly View[], look: () => readonly View[]): readonly View[] {
  for (const { storage } of outputs) storage.retain();
  let chosen: readonly View[] | undefined;
  try {
    chosen = look();
    return chosen;
  } finally {
    for (const { storage } of outputs) {
      if (chosen === outputs) storage.handOn();
      else storage.release();
    }
  }
}

/** Runs a listener's function without listeners. Those that it stops stay stopped, those that it starts stay. */
function quietly<Result>(look: () => Result): Result {
  const present = listeners ?? [];
  setListeners([]);
  try {
    return look();
  } finally {
    setListeners([...present.filter((listener) => !stopped.has(listener)), ...(listeners ?? [])]);
  }
}

function checkReplacement(op: string, outputs: readonly View[], others: readonly View[], into: boolean): void {
  if (into)
    throw new ShapeMismatchError(op, "writes to memory that exists: a listener cannot put other results in its place");
  if (!Array.isArray(others) || others.length !== outputs.length) {
    throw new ShapeMismatchError(
      op,
      `has ${outputs.length} results; a listener must return an array of as many, or nothing`,
    );
  }
  for (const [i, { dtype, shape, storage }] of outputs.entries()) {
    const other = others[i] as View;
    if (other?.storage === undefined) {
      throw new TypeError(`${op}: a listener must put tensors in its results' place, got ${showValue(other)}`);
    }
    const fits =
      other.dtype === dtype && other.shape.length === shape.length && other.shape.every((n, k) => n === shape[k]);
    if (!fits) {
      const [wanted, got] = [`${dtype} ${showShape(shape)}`, `${other.dtype} ${showShape(other.shape)}`];
      throw new ShapeMismatchError(op, `a listener must put ${wanted} in its result's place, got ${got}`);
    }
    if (other.storage.freed) throw new DisposedError();
    if (other.storage.backend !== storage.backend) {
      throw new DeviceError(storage.backend.name, `${op}: a listener put a result of another device in its place`);
    }
  }
}
