import { showValue } from "@gpt2-ts/tensor/options";
import { TokenizerError, type TokenizerErrorDetails } from "./errors.ts";
import { MAX_MERGES, MergeTable } from "./merge.ts";
import type { TokenTable } from "./token-table.ts";

/** A table with room for so many merges. `place` is where an error says that there are too many. */
export function mergeTable(count: number, place: TokenizerErrorDetails): MergeTable {
  if (count > MAX_MERGES) throw new TokenizerError(`more than ${MAX_MERGES} merges`, place);
  return new MergeTable(count);
}

/** Adds the merge of two tokens. Throws a {@link TokenizerError} that says where if one of them, or what they make, is no token. */
export function addMerge(
  merges: MergeTable,
  ids: TokenTable,
  [left, right]: readonly [string, string],
  place: () => TokenizerErrorDetails,
): void {
  const idOf = (token: string, role: string): number => {
    const id = ids.idOf(token);
    if (id !== undefined) return id;
    throw new TokenizerError(`the merge's ${role} ${showValue(token)} is not in the vocabulary`, { ...place(), token });
  };
  merges.add({
    left: idOf(left, "left part"),
    right: idOf(right, "right part"),
    result: idOf(left + right, "result"),
  });
}

/** The two tokens of `"a b"`. */
export function pairOf(text: string, place: () => TokenizerErrorDetails): [left: string, right: string] {
  const space = text.indexOf(" ");
  if (space <= 0 || space === text.length - 1 || text.includes(" ", space + 1)) {
    throw new TokenizerError(`expected two tokens with a space between, found ${showValue(text)}`, place());
  }
  return [text.slice(0, space), text.slice(space + 1)];
}

/** merges.txt: a `#version` line, then a pair of tokens on each line, in the order in which they merge. */
export function readMergesFile(text: string, ids: TokenTable, file: string): MergeTable {
  const end = endOfLastLine(text);
  const firstLine = text.startsWith("#version") ? 1 : 0;
  const count = countLines(text, end) - firstLine;
  const merges = mergeTable(count, { file, line: firstLine + MAX_MERGES + 1 });
  // Line by line, because splitting would make tens of thousands of strings.
  let start = firstLine === 0 ? 0 : endOfLine(text, 0, end) + 1;
  for (let i = 0; i < count; i++) {
    const next = endOfLine(text, start, end);
    const line = text.slice(start, text[next - 1] === "\r" ? next - 1 : next);
    start = next + 1;
    const place = (): TokenizerErrorDetails => ({ file, line: firstLine + i + 1 });
    addMerge(merges, ids, pairOf(line, place), place);
  }
  return merges;
}

/** Where the last line that is not empty ends. */
function endOfLastLine(text: string): number {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\n" || text[end - 1] === "\r")) end--;
  return end;
}

/** Where the line that begins at `start` ends, in a text that ends at `end`. */
function endOfLine(text: string, start: number, end: number): number {
  const at = text.indexOf("\n", start);
  return at < 0 || at > end ? end : at;
}

function countLines(text: string, end: number): number {
  if (end === 0) return 0;
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
