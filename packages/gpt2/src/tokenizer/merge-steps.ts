import { MergeTable } from "./merge.ts";
import { idsOfBytes } from "./missing-bytes.ts";
import { TokenTable } from "./token-table.ts";
import { contentsOfTokenizer, type Tokenizer } from "./tokenizer.ts";

/** One step of byte-pair encoding: two neighbouring tokens become one. */
export interface MergeStep {
  /** The merge's place in the vocabulary's list, from 0: of all that are possible the lowest is done first. */
  readonly rank: number;
  /** Which of the parts that there were before it, from 0, was the left one. */
  readonly position: number;
  /** The ids of the two, and of what they became. */
  readonly left: number;
  readonly right: number;
  readonly result: number;
}

/**
 * How a token is made of its bytes: the merges in the order in which encoding does them, in whatever word the token stands. None for
 * what no merge makes: a single byte, an added token, an id without a token.
 *
 *     mergeSteps(tokenizer, tokenizer.encode(" be")[0]!); // [{ rank, position: 0, left, right, result }, …]
 *
 * @throws TokenizerError for what is no id, such as -1
 */
export function mergeSteps(tokenizer: Tokenizer, id: number): MergeStep[] {
  const bytes = tokenizer.decodeBytes([id]);
  const contents = contentsOfTokenizer(tokenizer);
  const [ids, merges] = [TokenTable.from(contents.ids), MergeTable.from(contents.merges)];
  const idOfByte = idsOfBytes((token) => ids.idOf(token));
  const parts = Array.from(bytes, (byte) => idOfByte[byte]!);
  const steps: MergeStep[] = [];
  for (let next = lowest(parts, merges); next !== undefined; next = lowest(parts, merges)) {
    parts.splice(next.position, 2, next.result);
    steps.push(next);
  }
  return parts.length === 1 && parts[0] === id ? steps : [];
}

/** The merge that is done next: the one of lowest rank, of equal ones the leftmost. */
function lowest(parts: readonly number[], merges: MergeTable): MergeStep | undefined {
  let found: MergeStep | undefined;
  for (const [position, left] of parts.slice(0, -1).entries()) {
    const right = parts[position + 1]!;
    const rank = merges.rankOf(left, right);
    if (rank >= 0 && (found === undefined || rank < found.rank)) {
      found = { rank, position, left, right, result: merges.resultOf(rank) };
    }
  }
  return found;
}
