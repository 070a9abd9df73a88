/** The table of `bench:compression`. */
import type { CompressionResult } from "../compression/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import { provenance } from "./figures.ts";
import { table } from "./markdown.ts";

/** The newest run: results depend neither on the engine nor on the processor. */
export function compressionTable(all: readonly ProcessorResults<CompressionResult>[]): string | undefined {
  const shown = newest(all).at(-1);
  if (shown === undefined) return undefined;
  const programs = shown.texts[0]!.sizes.map(({ by }) => by);
  const rows = shown.texts.map(({ text, bytes, sizes }) => [
    text,
    ...programs.map((program) => {
      const size = sizes.find(({ by }) => by === program);
      return size === undefined ? "" : ((8 * size.bytes) / bytes).toFixed(2);
    }),
  ]);
  return [table(["bits a byte", ...programs], rows), provenance(shown)].join("\n\n");
}
