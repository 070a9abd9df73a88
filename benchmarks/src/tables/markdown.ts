/** Markdown tables, and the places in documents where generated text goes. */

/** Columns are aligned right, except for the first. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A marker without its end, or for which nothing is generated. */
export class MarkerError extends Error {
  override readonly name = "MarkerError";
  readonly file: string;
  readonly marker: string;

  constructor(file: string, marker: string, detail: string) {
    super(`${file}: <!-- bench:${marker} -->: ${detail}`);
    this.file = file;
    this.marker = marker;
  }
}

/**
 * Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` by `sections.get(NAME)`.
 *
 * @throws MarkerError for a marker without an end, or of a name that is not among the sections.
 */
export function fillMarkers(file: string, text: string, sections: ReadonlyMap<string, string>): string {
  const parts: string[] = [];
  let position = 0;
  for (const { index, 0: opening, 1: name = "" } of text.matchAll(/<!-- bench:([\w-]+) -->/g)) {
    const closing = `<!-- /bench:${name} -->`;
    const end = text.indexOf(closing, index);
    const section = sections.get(name);
    if (end < 0) throw new MarkerError(file, name, `there is no ${closing}`);
    if (section === undefined) throw new MarkerError(file, name, `there are ${[...sections.keys()].join(", ")}`);
    parts.push(text.slice(position, index), opening, "\n\n", section, "\n\n");
    position = end;
  }
  return parts.join("") + text.slice(position);
}
