import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

/** What is known of an answer. */
export interface Answer<Value> {
  /** The latest there is: while `busy`, it answers an older question. */
  readonly value: Value | undefined;
  readonly busy: boolean;
  readonly error: Error | undefined;
}

export interface FollowingOptions {
  /** Milliseconds that a question has to last before it is asked. Default 0. */
  readonly delay?: number;
  /** While it is true, no question is asked: the answer stays the old one. */
  readonly paused?: () => boolean;
}

/**
 * An answer that follows a question: whenever a signal that `question` reads changes, the work on the old one is aborted, and what may
 * still come of it is dropped. An undefined question has no answer.
 */
export function following<Question, Value>(
  question: () => Question | undefined,
  answer: (question: Question, signal: AbortSignal) => Promise<Value>,
  { delay = 0, paused = () => false }: FollowingOptions = {},
): { readonly answer: ReadonlySignal<Answer<Value>>; readonly stop: () => void } {
  const known = signal<Answer<Value>>({ value: undefined, busy: false, error: undefined });
  const stop = effect(() => {
    const asked = question();
    if (asked === undefined) {
      known.value = { value: undefined, busy: false, error: undefined };
      return;
    }
    if (paused()) return;
    const controller = new AbortController();
    known.value = { value: known.peek().value, busy: true, error: undefined };
    const tell = (news: Answer<Value>): void => {
      if (!controller.signal.aborted) known.value = news;
    };
    const timer = setTimeout(() => {
      answer(asked, controller.signal).then(
        (value) => tell({ value, busy: false, error: undefined }),
        (error: Error) => tell({ value: undefined, busy: false, error }),
      );
    }, delay);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  });
  return { answer: known, stop };
}

/** The same for as long as a component is there. The functions of its first rendering are used. */
export function useFollowing<Question, Value>(
  question: () => Question | undefined,
  answer: (question: Question, signal: AbortSignal) => Promise<Value>,
  options?: FollowingOptions,
): Answer<Value> {
  const [{ answer: known, stop }] = useState(() => following(question, answer, options));
  useEffect(() => stop, [stop]);
  return known.value;
}
