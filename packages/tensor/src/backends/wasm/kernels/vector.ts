// Products of one row with matrices of float32 or bfloat16. The sums of both are the same steps, those of the tiles of
// matmul.ts: an element's bits depend on neither the kernel nor the encoding, only on the values.
import { BLOCK } from "../abi";
import { high, low, upperHalves } from "./bf16";
import { int, pointer } from "./control";
import { madd } from "./simd";
import { firstPanel, panelsOfStream, storePanel } from "./streams";

/** c [N] = x [K]·B (+ bias) (then GELU). Ints: x, panels of B, c, N, K, bias or 0, mode. Split by panels. */
export function vectorMatmulJob(chunk: i32): void {
  multiplyPanels(chunk, false);
}

/** The same with panels of bfloat16. */
export function vectorMatmulBf16Job(chunk: i32): void {
  multiplyPanels(chunk, true);
}

// @ts-expect-error: decorator
@inline
function multiplyPanels(chunk: i32, bf16: bool): void {
  const panels = (int(3) + 7) >> 3;
  const end = firstPanel(chunk + 1, panels);
  let panel = firstPanel(chunk, panels);
  const apart = panelsOfStream(end - panel);
  for (const stop = panel + apart; panel < stop; panel++) fourPanels(panel, apart, end, bf16);
}

/** Columns 0 to 3 of a panel's row: of `row`, the first 16 bytes, which are all of it in bfloat16. */
// @ts-expect-error: decorator
@inline
export function first(row: v128, bf16: bool): v128 {
  return bf16 ? low(row) : row;
}

/** Columns 4 to 7. */
// @ts-expect-error: decorator
@inline
export function second(row: v128, b: usize, upper: v128, bf16: bool): v128 {
  return bf16 ? high(row, upper) : v128.load(b, 16);
}

/** Panels `panel`, `panel + apart` and so on, those before `end`; instead of the others the first is read again. */
// @ts-expect-error: decorator
@inline
function fourPanels(panel: i32, apart: i32, end: i32, bf16: bool): void {
  const n = int(3);
  const k = int(4);
  const bias = pointer(5);
  const mode = int(6);
  const row: usize = bf16 ? 16 : 32;
  const panelStep = <usize>k * row;
  const streamStep = <usize>apart * panelStep;
  const panel1 = panel + apart;
  const panel2 = panel1 + apart;
  const panel3 = panel2 + apart;
  let x = pointer(0);
  let b0 = pointer(1) + <usize>panel * panelStep;
  let b1 = panel1 < end ? b0 + streamStep : b0;
  let b2 = panel2 < end ? b1 + streamStep : b0;
  let b3 = panel3 < end ? b2 + streamStep : b0;
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  let total2 = f32x4.splat(0);
  let total3 = f32x4.splat(0);
  let total4 = f32x4.splat(0);
  let total5 = f32x4.splat(0);
  let total6 = f32x4.splat(0);
  let total7 = f32x4.splat(0);
  for (let start = 0; start < k; start += BLOCK) {
    const upper = upperHalves();
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    let sum2 = f32x4.splat(0);
    let sum3 = f32x4.splat(0);
    let sum4 = f32x4.splat(0);
    let sum5 = f32x4.splat(0);
    let sum6 = f32x4.splat(0);
    let sum7 = f32x4.splat(0);
    for (const stop = x + (<usize>min(BLOCK, k - start) << 2); x < stop; x += 4) {
      const a = v128.load32_splat(x);
      let b = v128.load(b0);
      sum0 = madd(a, first(b, bf16), sum0);
      sum1 = madd(a, second(b, b0, upper, bf16), sum1);
      b = v128.load(b1);
      sum2 = madd(a, first(b, bf16), sum2);
      sum3 = madd(a, second(b, b1, upper, bf16), sum3);
      b = v128.load(b2);
      sum4 = madd(a, first(b, bf16), sum4);
      sum5 = madd(a, second(b, b2, upper, bf16), sum5);
      b = v128.load(b3);
      sum6 = madd(a, first(b, bf16), sum6);
      sum7 = madd(a, second(b, b3, upper, bf16), sum7);
      b0 += row;
      b1 += row;
      b2 += row;
      b3 += row;
    }
    const isFirst = start == 0;
    total0 = isFirst ? sum0 : f32x4.add(total0, sum0);
    total1 = isFirst ? sum1 : f32x4.add(total1, sum1);
    total2 = isFirst ? sum2 : f32x4.add(total2, sum2);
    total3 = isFirst ? sum3 : f32x4.add(total3, sum3);
    total4 = isFirst ? sum4 : f32x4.add(total4, sum4);
    total5 = isFirst ? sum5 : f32x4.add(total5, sum5);
    total6 = isFirst ? sum6 : f32x4.add(total6, sum6);
    total7 = isFirst ? sum7 : f32x4.add(total7, sum7);
  }
  const c = pointer(2);
  storePanel(c, n, panel, total0, total1, bias, mode);
  if (panel1 < end) storePanel(c, n, panel1, total2, total3, bias, mode);
  if (panel2 < end) storePanel(c, n, panel2, total4, total5, bias, mode);
  if (panel3 < end) storePanel(c, n, panel3, total6, total7, bias, mode);
}
