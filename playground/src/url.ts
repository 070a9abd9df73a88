import { effect, type Signal, signal } from "@preact/signals";
import type { Codec } from "./codecs.ts";

// What is chosen is in the address, behind the `#`, which no server gets to see: a link shows what its sender saw. Values that are
// the defaults are left out.

interface Bound {
  readonly signal: Signal<unknown>;
  readonly initial: unknown;
  readonly codec: Codec<unknown>;
}

const bound = new Map<string, Bound>();
/** Grows when something is bound. */
const count = signal(0);
/** What the address says for names that nothing is bound to yet: parts of the page are loaded later. */
let unclaimed = new URLSearchParams(location.hash.slice(1));

/** What could not be read of the address, for the reader to know. */
export const unreadable = signal<readonly string[]>([]);

/** A signal that is part of the address as `name=…`. What the codec cannot read is told, and counts as absent. */
export function inUrl<T>(name: string, initial: T, codec: Codec<T>): Signal<T> {
  if (bound.has(name)) throw new Error(`two values are called ${name} in the address`);
  const value = signal(initial);
  bound.set(name, { signal: value as Signal<unknown>, initial, codec: codec as Codec<unknown> });
  take(name);
  count.value++;
  return value;
}

function take(name: string): void {
  const { signal: value, initial, codec } = bound.get(name)!;
  const written = unclaimed.get(name);
  unclaimed.delete(name);
  const read = written === null ? initial : codec.read(written);
  if (read === undefined && written !== null && initial !== undefined) {
    unreadable.value = [...unreadable.value, `${name}=${written}`];
  }
  value.value = read ?? initial;
}

/** The address's part that says what is chosen. */
export function chosen(): string {
  const parameters = new URLSearchParams(unclaimed);
  for (const [name, { signal: value, initial, codec }] of bound) {
    const now = codec.write(value.value);
    if (value.value !== undefined && (initial === undefined || now !== codec.write(initial))) parameters.set(name, now);
  }
  return parameters.toString();
}

/** The address of the page as it is now. */
export function linkNow(): string {
  const now = chosen();
  const { origin, pathname, search } = location;
  return `${origin}${pathname}${search}${now === "" ? "" : `#${now}`}`;
}

/** Browsers allow about a hundred changes of the address in 30 seconds. */
const WRITE_AFTER_MS = 400;

/** Keeps the address up to date from now on, and follows when the reader changes it. */
export function followUrl(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    count.value;
    const now = chosen();
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (location.hash.slice(1) !== now) history.replaceState(history.state, "", linkNow());
    }, WRITE_AFTER_MS);
  });
  addEventListener("hashchange", () => {
    clearTimeout(timer);
    unclaimed = new URLSearchParams(location.hash.slice(1));
    unreadable.value = [];
    for (const name of bound.keys()) take(name);
  });
}
