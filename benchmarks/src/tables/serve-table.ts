/** The tables of `bench:serve`. */
import type { ProcessorResults } from "../results-file.ts";
import type { ServeResult } from "../serve/result.ts";
import { byProcessor, figure, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

export function serveTable(all: readonly ProcessorResults<ServeResult>[]): string | undefined {
  return byProcessor(all, (results) => {
    const newest = results.at(-1);
    return newest === undefined ? [] : [throughputTable(newest), loadTable(newest), provenance(newest)];
  });
}

function throughputTable({ throughput }: ServeResult): string {
  const { checkpoint, dtype, inFlight, promptTokens, outputTokens, comparison } = throughput;
  const [together, alone] = comparison.measured;
  const ratio = comparison.ratios[0]?.ratio;
  const head = [
    `${checkpoint}, ${dtype}; prompts of ${promptTokens} tokens, ${outputTokens} more`,
    "tokens/s, client included",
    "ratio",
  ];
  return table(head, [
    ["one request after another", alone ? figure(alone.median, "tokens/s") : "", ""],
    [`${inFlight} in flight`, together ? figure(together.median, "tokens/s") : "", ratio ? times(ratio) : ""],
  ]);
}

function loadTable({ load }: ServeResult): string {
  const { connections, seconds, answered, hungUp, refused, tokensPerSecond, firstMs, memory } = load;
  const malformed = Object.values(refused).reduce((sum, count) => sum + count, 0);
  const statuses = Object.keys(refused).join(", ");
  return table(
    [`Shakespeare model, ${connections} connections for ${seconds} s`, ""],
    [
      ["answered, each to the bit as alone", String(answered)],
      ["hung up by the client midway", String(hungUp)],
      [`malformed, refused (${statuses})`, String(malformed)],
      ["tokens/s", figure(tokensPerSecond, "tokens/s")],
      ["until the first piece of a stream, median", `${firstMs.p50.toFixed(0)} ms`],
      ["the same, 99th percentile", `${firstMs.p99.toFixed(0)} ms`],
      ["resident memory, second quarter", figure(memory.early, "bytes")],
      ["resident memory, last quarter", figure(memory.late, "bytes")],
    ],
  );
}
