// How a product of one row reads a packed matrix: as four streams, each a run of panels that lie one behind the other. The
// processor fetches each ahead by itself, and so draws more from the memory at once: one stream of floats, or a jump to
// another panel every few kilobytes, left up to a third of it unused. Four panels' sums also fit V8's fifteen registers.
import { MODE_GELU, STREAMS } from "../abi";
import { chunkCount, shrinkingStart } from "./control";
import { storeSomeOfRow } from "./tile";

/**
 * First of the panels of a chunk, which are a multiple of {@link STREAMS} except in the last one. Each chunk is smaller than
 * the one before: see {@link shrinkingStart}.
 */
// @ts-expect-error: decorator
@inline
export function firstPanel(chunk: i32, panels: i32): i32 {
  return min(panels, shrinkingStart(chunk, chunkCount(), panelsOfStream(panels)) * STREAMS);
}

/** Panels of each stream of a chunk of `panels` panels; the last stream may have fewer. */
// @ts-expect-error: decorator
@inline
export function panelsOfStream(panels: i32): i32 {
  return (panels + STREAMS - 1) / STREAMS;
}

/** Eight sums → row c [N] (+ bias) (then GELU), from the panel's column on. */
export function storePanel(c: usize, n: i32, panel: i32, sum0: v128, sum1: v128, bias: usize, mode: i32): void {
  const offset = <usize>panel << 5;
  storeSomeOfRow(c + offset, sum0, sum1, min(8, n - (panel << 3)), bias ? bias + offset : 0, mode & MODE_GELU);
}
