import type { KnownToken } from "./added-token.ts";
import { characterClass, LETTER, WHITE_SPACE } from "./character-classes.ts";
import { TokenizerError } from "./errors.ts";
import { MergeTable } from "./merge.ts";

/** A part of a text: ordinary text, or the id of an added token. */
export type TextPart = string | number;

/** The most characters of all added tokens together. */
const MOST_CHARACTERS = 2 ** 20;

const [ROOT, NONE] = [0, -1];

/**
 * Finds tokens in a text, in time that does not depend on how many they are, or how long: by the automaton of Aho and Corasick
 * ("Efficient string matching", 1975). It reads the text from its end, with the tokens' characters in reverse order, because then its
 * state tells of each place the longest token that begins there.
 */
export class TokenMatcher {
  readonly #tokens: readonly KnownToken[];
  /** Node and character → 1 + the next node. A node stands for the end of a token, as far as it was read. */
  readonly #edges: MergeTable;
  /** The node to go on from when a node has no edge: the longest other one that the characters read so far lead to. */
  readonly #fallback: Int32Array;
  /** The longest token that is complete in a node. */
  readonly #longest: Int32Array;

  /** 1 for the characters that tokens end with: nearly all of a text is passed over by this. */
  readonly #last = new Uint8Array(2 ** 16);

  /** @param tokens with different contents, none empty */
  constructor(tokens: readonly KnownToken[]) {
    const characters = tokens.reduce((sum, { content }) => sum + content.length, 0);
    if (characters > MOST_CHARACTERS) {
      throw new TokenizerError(
        `the added tokens have ${characters} characters together: at most ${MOST_CHARACTERS} can be`,
      );
    }
    this.#tokens = tokens;
    this.#edges = new MergeTable(characters);
    this.#longest = new Int32Array(characters + 1).fill(NONE);
    this.#fallback = new Int32Array(characters + 1);
    const parents = new Int32Array(characters + 1);
    const depths = new Int32Array(characters + 1);
    for (const [number, { content }] of tokens.entries()) {
      let node = ROOT;
      for (let i = content.length - 1; i >= 0; i--) {
        const code = content.charCodeAt(i);
        const known = this.#next(node, code);
        const next = known ?? this.#edges.add({ left: node, right: code, result: code }) + 1;
        if (known === undefined) [parents[next], depths[next]] = [node, depths[node]! + 1];
        node = next;
      }
      this.#longest[node] = number;
      this.#last[content.charCodeAt(content.length - 1)] = 1;
    }
    const nodes = new Int32Array(this.#edges.size).map((_, i) => i + 1);
    for (const node of nodes.sort((a, b) => depths[a]! - depths[b]!)) {
      const parent = parents[node]!;
      if (parent !== ROOT) this.#fallback[node] = this.#step(this.#fallback[parent]!, this.#edges.resultOf(node - 1));
      if (this.#longest[node] === NONE) this.#longest[node] = this.#longest[this.#fallback[node]!]!;
    }
  }

  /**
   * Splits a text at tokens: the leftmost first, the longest of those that begin at one place, and then on from where it ends. Where
   * one is not `read`, or is to be a word by itself and is not, its characters stay text.
   */
  split(text: string, read: (token: KnownToken) => boolean): TextPart[] {
    const parts: TextPart[] = [];
    let taken = 0; // what comes before is in `parts`
    let end = 0; // of the last match
    let [spaceStart, spaceEnd] = [0, 0];
    for (const { place, token } of this.#matches(text)) {
      if (place < end) continue;
      end = place + token.content.length;
      if (!read(token)) continue;
      if (token.singleWord && (endsWithWord(text, place) || startsWithWord(text, end))) continue;
      let [from, to] = [place, end];
      if (token.lstrip) {
        while (from > taken && isSpace(text, from - 1)) from--;
        from = Math.max(from, taken);
      }
      if (token.rstrip) {
        if (to < spaceStart || to > spaceEnd) [spaceStart, spaceEnd] = [to, to]; // or in white space that was gone through
        while (isSpace(text, spaceEnd)) spaceEnd++;
        to = spaceEnd;
      }
      if (taken < from) parts.push(text.slice(taken, from));
      if (from < to) parts.push(token.id); // or the token before took all of it
      taken = to;
    }
    if (taken < text.length) parts.push(text.slice(taken));
    return parts;
  }

  /** For each place where tokens begin the longest of them, in order. */
  #matches(text: string): { place: number; token: KnownToken }[] {
    const matches: { place: number; token: KnownToken }[] = [];
    let node = ROOT;
    for (let place = text.length - 1; place >= 0; place--) {
      const code = text.charCodeAt(place);
      if (node === ROOT && this.#last[code] === 0) continue;
      node = this.#step(node, code);
      const token = this.#tokens[this.#longest[node]!];
      if (token !== undefined) matches.push({ place, token });
    }
    return matches.reverse();
  }

  #next(node: number, code: number): number | undefined {
    const rank = this.#edges.rankOf(node, code);
    return rank < 0 ? undefined : rank + 1;
  }

  /** The node after another character. */
  #step(node: number, code: number): number {
    for (let from = node; ; from = this.#fallback[from]!) {
      const next = this.#next(from, code);
      if (next !== undefined || from === ROOT) return next ?? ROOT;
    }
  }
}

/** All of Unicode's white space is a single UTF-16 unit. */
function isSpace(text: string, at: number): boolean {
  return at < text.length && characterClass(text.charCodeAt(at)) === WHITE_SPACE;
}

/**
 * \w of Rust's regular expressions. Letters are those of our table, because engines differ in their versions of Unicode; marks and
 * digits that are newer than an engine may be missing.
 */
function isOfWord(codePoint: number | undefined): boolean {
  if (codePoint === undefined) return false;
  return characterClass(codePoint) === LETTER || otherOfWord.test(String.fromCodePoint(codePoint));
}

const otherOfWord = /(?!\p{L})[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Whether a word's character is before `at`. */
function endsWithWord(text: string, at: number): boolean {
  const [last] = [...text.slice(Math.max(0, at - 2), at)].slice(-1);
  return isOfWord(last?.codePointAt(0));
}

/** Whether a word's character is at `at`. */
function startsWithWord(text: string, at: number): boolean {
  return isOfWord(text.codePointAt(at));
}
