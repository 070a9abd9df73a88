import { type PickleValue as AnyPickleValue, type PicklePolicy, readPickle as read } from "@gpt2-ts/gpt2/pickle";

/** Plain data: what a pickle may hold here. Tuples are frozen arrays. */
export type PickleValue = AnyPickleValue;

/**
 * Reads a pickle of plain data, protocols 0 to 5: None, bools, ints, floats, strings, bytes, lists, tuples and dicts.
 * It never runs anything: the instructions that name, make or change objects of a class are errors.
 *
 * @throws PickleError
 */
export function readPickle(bytes: Uint8Array): PickleValue {
  return read(bytes, plainData);
}

const plainData: PicklePolicy = {
  refusal: (instruction) =>
    SETS.has(instruction)
      ? "sets are not read: expected a list of strings, or a dict of int to string"
      : "only plain data is read, and nothing is ever run",
};

const SETS: ReadonlySet<string> = new Set(["EMPTY_SET", "ADDITEMS", "FROZENSET"]);
