import { batch, computed, signal } from "@preact/signals";
import { chosenToken, exactIds, session, text, tokens } from "../state.ts";

// How the text is changed, and how that is undone.

interface Version {
  readonly text: string;
  readonly exactIds: readonly number[] | undefined;
  readonly drawn: number;
}

const versions = signal<readonly Version[]>([]);
const MOST_VERSIONS = 200;
/** Keys that are typed within this time are one change. */
const PAUSE_MS = 1000;
let lastKey = Number.NEGATIVE_INFINITY;

/** Tokens drawn since the reader changed the text: the next draw is the seed's one of this number. */
export const drawn = signal(0);

export const canUndo = computed(() => versions.value.length > 0);

/** Notes the text as it is, for `undo`. */
export function remember(): void {
  lastKey = Number.NEGATIVE_INFINITY;
  const version = { text: text.peek(), exactIds: exactIds.peek(), drawn: drawn.peek() };
  versions.value = [...versions.peek().slice(1 - MOST_VERSIONS), version];
}

export function undo(): void {
  const version = versions.peek().at(-1);
  if (version === undefined) return;
  batch(() => {
    versions.value = versions.peek().slice(0, -1);
    text.value = version.text;
    exactIds.value = version.exactIds;
    drawn.value = version.drawn;
    chosenToken.value = undefined;
  });
}

/** The text as the reader typed it. */
export function type(typed: string): void {
  const now = performance.now();
  if (now - lastKey > PAUSE_MS) remember();
  lastKey = now;
  batch(() => {
    text.value = typed;
    exactIds.value = undefined;
    drawn.value = 0;
    chosenToken.value = undefined;
  });
}

/** The text as these tokens, which need not be those that the tokenizer would make of it. */
export function putTokens(ids: readonly number[]): void {
  const { tokenizer } = session.peek()!.model;
  batch(() => {
    const written = tokenizer.decode(ids);
    const usual = tokenizer.encode(written);
    text.value = written;
    exactIds.value = usual.length === ids.length && usual.every((id, i) => id === ids[i]) ? undefined : ids;
  });
}

/** Another token in a place of the text; what stood there and behind it goes. */
export function takeBranch(index: number, id: number): void {
  remember();
  batch(() => {
    putTokens([...tokens.peek().ids.slice(0, index), id]);
    chosenToken.value = undefined;
    drawn.value = 0;
  });
}
