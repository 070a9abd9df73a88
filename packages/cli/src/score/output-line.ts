/** Items of an array that are written at once: a string that held all of them could be longer than a string can be. */
const ITEMS_AT_ONCE = 2 ** 16;

/** JSON that is written as it is. */
export class Verbatim {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}

/** A key of the output, and its value. */
export type Member = readonly [name: string, value: unknown];

/**
 * A line of the output, in pieces.
 *
 * @param others the members of the input that are passed through, as JSON
 * @param resultKey the key that the result is written under; otherwise its members stand beside the others
 */
export function* outputLine(
  others: string,
  result: Iterable<Member>,
  resultKey: string | undefined,
): Generator<string, void> {
  const comma = others === "" ? "" : ",";
  yield `{${others}${comma}${resultKey === undefined ? "" : `${JSON.stringify(resultKey)}:{`}`;
  let separator = "";
  for (const [name, value] of result) {
    yield `${separator}${JSON.stringify(name)}:`;
    if (Array.isArray(value)) yield* arrayPieces(value);
    else if (value instanceof Verbatim) yield value.json;
    else yield JSON.stringify(value);
    separator = ",";
  }
  yield resultKey === undefined ? "}\n" : "}}\n";
}

function* arrayPieces(items: readonly unknown[]): Generator<string, void> {
  if (items.length === 0) yield "[]";
  for (let start = 0; start < items.length; start += ITEMS_AT_ONCE) {
    const piece = JSON.stringify(items.slice(start, start + ITEMS_AT_ONCE)).slice(1, -1);
    const last = start + ITEMS_AT_ONCE >= items.length;
    yield `${start === 0 ? "[" : ","}${piece}${last ? "]" : ""}`;
  }
}

/** Joins pieces to strings of at least this many characters, but for the last one, so that writing them costs little. */
export function* joined(pieces: Iterable<string>, length = 2 ** 16): Generator<string, void> {
  let waiting = "";
  for (const piece of pieces) {
    waiting += piece;
    if (waiting.length < length) continue;
    yield waiting;
    waiting = "";
  }
  if (waiting !== "") yield waiting;
}
