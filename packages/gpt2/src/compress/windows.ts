/** Tokens that are coded with one window of the model's context. */
export interface Window {
  /** The first token that is coded with it. */
  readonly first: number;
  /** One more than the last. */
  readonly end: number;
  /** How many of the tokens before `first` the model sees again; where there are none, it sees the start of a text. */
  readonly seen: number;
}

/**
 * How `tokens` tokens are cut into windows of at most `nPositions` inputs: when the context is full, its second half is read again
 * and becomes the first half of the next.
 */
export function* windows(tokens: number, nPositions: number): Generator<Window, void> {
  for (let first = 0; first < tokens; ) {
    const seen = first === 0 ? 0 : Math.floor(nPositions / 2);
    // The first token is coded after `seen` inputs, or after the start of a text; each further one after one input more.
    const end = Math.min(tokens, first + nPositions - Math.max(seen, 1) + 1);
    yield { first, end, seen };
    first = end;
  }
}

/** The inputs after which the tokens of a window are coded: one for each of them, after those that come before. */
export function inputsOf({ first, end, seen }: Window, startOfText: number, ids: ArrayLike<number>): number[] {
  const inputs = seen === 0 ? [startOfText] : [];
  for (let at = first - seen; at < end - 1; at++) inputs.push(ids[at]!);
  return inputs;
}
