/** The tables of `bench:gpu`. */
import type { Transfers } from "../engines/matmul-engine.ts";
import type { GpuResult, ProductComparison, ProductTime } from "../gpu/result.ts";
import type { ProcessorResults } from "../results-file.ts";
import { show } from "../speed/compare.ts";
import { byProcessor, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

/** Products by size and mode, passes, and logits, on the newest Node of each processor. */
export function gpuTable(all: readonly ProcessorResults<GpuResult>[]): string | undefined {
  return byProcessor(all, (results) => {
    const newest = results.at(-1);
    if (newest === undefined) return [];
    const tables = [...productTable(newest), ...forwardTable(newest), ...errorTable(newest)];
    return [...tables, machine(newest), provenance(newest)];
  });
}

function productTable({ products = [] }: GpuResult): string[] {
  if (products.length === 0) return [];
  const head = ["product", "mode", "README's kernel", "gpt2-ts", "README : gpt2-ts", "README moves", "gpt2-ts moves"];
  const rows = products.flatMap((comparison) => {
    const { sizes, ratios, disturbed } = comparison;
    const title = `${sizes.join("×")}${disturbed > 0 ? " †" : ""}`;
    const measured = ratios.map(({ mode, ratio }) => {
      const readme = timeOf(comparison, "GPU.js's README", mode);
      const ours = timeOf(comparison, "gpt2-ts", mode);
      const moved = [readme, ours].map((time) => moves(time?.transfers));
      return [title, mode, milliseconds(readme), milliseconds(ours), times(ratio), ...moved];
    });
    return [
      ...measured,
      [title, "(the wasm backend)", "", milliseconds(timeOf(comparison, "gpt2-ts", undefined)), "", "", ""],
    ];
  });
  const disturbed = products.some((comparison) => comparison.disturbed > 0);
  return [table(head, rows), ...(disturbed ? ["† Other programs ran during some of these samples."] : [])];
}

function forwardTable({ forwards }: GpuResult): string[] {
  if (forwards === undefined) return [];
  const { model, tokens } = forwards;
  const head = [
    `${tokens} tokens through ${model}`,
    "mode",
    "median",
    "kernels",
    "submissions",
    "uploads",
    "readbacks",
    "GPU.js ran it as",
  ];
  const rows = forwards.times.map((time) => [
    time.way,
    time.mode,
    milliseconds(time),
    ...[time.launches, time.submissions ?? "", time.uploads, time.readbacks].map(String),
    time.executor,
  ]);
  return [table(head, rows)];
}

function errorTable({ errors = [] }: GpuResult): string[] {
  if (errors.length === 0) return [];
  const rows = errors.map(({ model, mode, tokens, logits }) => [
    model,
    mode,
    String(tokens),
    logits.max.toExponential(1),
    logits.rms.toExponential(1),
  ]);
  return [table(["logits against float64", "mode", "tokens", "largest error", "RMS"], rows)];
}

function machine({ versions, modes }: GpuResult): string {
  const found = modes.map(({ mode, facts, missing }) => {
    if (facts === undefined) return `${mode}: not there (${missing})`;
    const { vendor, architecture, device, description } = facts;
    const adapter = [vendor, architecture, device, description].filter(Boolean);
    return adapter.length === 0 ? mode : `${mode}: ${adapter.join(", ")}`;
  });
  return `GPU.js ${versions["gpu.js"]}, webgpu ${versions.webgpu}. Modes: ${found.join("; ")}.`;
}

function timeOf(
  { times }: ProductComparison,
  contestant: ProductTime["contestant"],
  mode: ProductTime["mode"],
): ProductTime | undefined {
  return times.find((time) => time.contestant === contestant && time.mode === mode);
}

function milliseconds(time: Pick<ProductTime, "milliseconds"> | undefined): string {
  return time === undefined ? "" : `${show(time.milliseconds.median)} ms`;
}

function moves(transfers: Transfers | undefined): string {
  return transfers === undefined ? "" : `${transfers.uploads} up, ${transfers.readbacks} back`;
}
