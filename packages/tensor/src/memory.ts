/** What {@link tidy} can free. */
export interface Disposable {
  dispose(): void;
}

/** A disposable that a scope holds, or else the garbage collector, which then has its memory given back. */
interface Tracked extends Disposable {
  readonly storage: { release(): void };
}

type Scope = Set<Tracked>;

/** Gives the memory back of what was collected without being disposed. */
const collected = new FinalizationRegistry<Tracked["storage"]>((storage) => storage.release());

let innermost: Scope | undefined;

/**
 * Runs `body` and frees every tensor made during it, except those it returns (alone or inside arrays, maps and plain
 * objects), which move on to the enclosing scope.
 *
 *     const probabilities = tidy(() => logits.div(temperature).softmax(-1));
 *
 * `body` must be synchronous: throws a TypeError if it returns a promise, after freeing what was made so far.
 */
export function tidy<Result>(body: () => Result): Result {
  const outer = innermost;
  const scope: Scope = new Set();
  innermost = scope;
  const kept: Scope = new Set();
  try {
    const result = body();
    if (isPromise(result)) throw new TypeError("tidy: the function must be synchronous, it returned a promise");
    collect(result, scope, kept, 0);
    return result;
  } finally {
    for (const item of scope) if (!kept.has(item)) item.dispose(); // which untracks it
    innermost = outer;
    for (const item of kept) track(item);
  }
}

/** Takes a tensor out of the current {@link tidy}: from now on only `dispose` or `using` frees it. */
export function keep<Item extends Disposable>(item: Item): Item {
  if (innermost?.delete(item as never)) watch(item as never);
  return item;
}

/** Registers something new with the current {@link tidy}, or with the garbage collector if there is none. */
export function track(item: Tracked): void {
  if (innermost) innermost.add(item);
  else watch(item);
}

/** Forgets something that was disposed by hand. */
export function untrack(item: Tracked): void {
  if (!innermost?.delete(item)) collected.unregister(item);
}

// Not everything from the start: to be registered takes the collector longer than a small operation takes.
function watch(item: Tracked): void {
  collected.register(item, item.storage, item);
}

const deepestResult = 8; // nesting of arrays and objects searched for returned tensors

function collect(value: unknown, scope: Scope, kept: Scope, depth: number): void {
  if (typeof value !== "object" || value === null || depth > deepestResult) return;
  if (scope.has(value as Tracked)) {
    kept.add(value as Tracked);
    return;
  }
  if (ArrayBuffer.isView(value)) return;
  if (isCollection(value)) {
    for (const item of value) collect(item, scope, kept, depth + 1);
  } else if (isPlainObject(value)) {
    for (const item of Object.values(value)) collect(item, scope, kept, depth + 1);
  }
}

// By what they are, not by `instanceof`: those of another realm (Jest's, a `vm`'s) have other constructors.

export function isPromise(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}

function isCollection(value: object): value is Iterable<unknown> {
  return Array.isArray(value) || /^\[object (Map|Set)\]$/.test(Object.prototype.toString.call(value));
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
