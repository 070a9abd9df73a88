import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useFollowing } from "../engine/following.ts";
import { writing } from "../state.ts";

/** What was asked for, as far as it is there. */
export interface Answer<Value> {
  /** Of the latest question that was answered: perhaps not the present one. */
  readonly value: Value | undefined;
  /** True while the present question has no answer yet. */
  readonly waiting: boolean;
  /** Why there will be none. */
  readonly error: Error | undefined;
}

/** So long a question has to last: someone may be typing. */
const SETTLED_MS = 40;

/**
 * Asks, and asks again when the question becomes another one: what was asked before is aborted, and its answer dropped. Nothing is asked
 * while the model writes.
 *
 * @param question says what is asked; undefined asks nothing
 */
export function useAnswer<Value>(
  question: string | undefined,
  ask: (signal: AbortSignal) => Promise<Value>,
): Answer<Value> {
  const asked = useSignal(question);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    asked.value = question;
  }, [question]);
  const { value, error } = useFollowing(
    () => asked.value,
    async (own, signal) => ({ question: own, value: await latest.current(signal) }),
    { delay: SETTLED_MS, paused: () => writing.value },
  );
  const waiting = question !== undefined && error === undefined && value?.question !== question;
  return { value: question === undefined ? undefined : value?.value, waiting, error };
}
