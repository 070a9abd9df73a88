// Products of two rows, as a draft of one token makes them: the matrix is read once for both, in the order and with the sums of
// vector.ts, and memory is still what they wait for. few-rows.ts takes more.
import { BLOCK } from "../abi";
import { upperHalves } from "./bf16";
import { int, pointer } from "./control";
import { madd } from "./simd";
import { firstPanel, panelsOfStream, storePanel } from "./streams";
import { first, second } from "./vector";

/** c [2, N] = x [2, K]·B (+ bias) (then GELU). Ints: x, panels of B, c, N, K, bias or 0, mode, row stride of x. Split by panels. */
export function twoRowsMatmulJob(chunk: i32): void {
  multiplyPanels(chunk, false);
}

/** The same with panels of bfloat16. */
export function twoRowsMatmulBf16Job(chunk: i32): void {
  multiplyPanels(chunk, true);
}

// @ts-expect-error: decorator
@inline
function multiplyPanels(chunk: i32, bf16: bool): void {
  const panels = (int(3) + 7) >> 3;
  const end = firstPanel(chunk + 1, panels);
  const begin = firstPanel(chunk, panels);
  const apart = panelsOfStream(end - begin);
  // Four streams, two at a time.
  for (let stream = 0; stream < 4; stream += 2) {
    let panel = begin + stream * apart;
    for (const stop = min(panel + apart, end); panel < stop; panel++) twoPanels(panel, apart, end, bf16);
  }
}

/** Panels `panel` and `panel + apart`, if that is before `end`; else the first is read twice. */
// @ts-expect-error: decorator
@inline
function twoPanels(panel: i32, apart: i32, end: i32, bf16: bool): void {
  const n = int(3);
  const k = int(4);
  const bias = pointer(5);
  const mode = int(6);
  const row: usize = bf16 ? 16 : 32;
  const panelStep = <usize>k * row;
  const other = panel + apart;
  let x0 = pointer(0);
  let x1 = x0 + (<usize>int(7) << 2);
  let b0 = pointer(1) + <usize>panel * panelStep;
  let b1 = other < end ? b0 + <usize>apart * panelStep : b0;
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
    for (const stop = x0 + (<usize>min(BLOCK, k - start) << 2); x0 < stop; x0 += 4) {
      const a0 = v128.load32_splat(x0);
      const a1 = v128.load32_splat(x1);
      let b = v128.load(b0);
      let half = first(b, bf16);
      sum0 = madd(a0, half, sum0);
      sum4 = madd(a1, half, sum4);
      half = second(b, b0, upper, bf16);
      sum1 = madd(a0, half, sum1);
      sum5 = madd(a1, half, sum5);
      b = v128.load(b1);
      half = first(b, bf16);
      sum2 = madd(a0, half, sum2);
      sum6 = madd(a1, half, sum6);
      half = second(b, b1, upper, bf16);
      sum3 = madd(a0, half, sum3);
      sum7 = madd(a1, half, sum7);
      x1 += 4;
      b0 += row;
      b1 += row;
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
  const c0 = pointer(2);
  const c1 = c0 + (<usize>n << 2);
  storePanel(c0, n, panel, total0, total1, bias, mode);
  storePanel(c1, n, panel, total4, total5, bias, mode);
  if (other < end) storePanel(c0, n, other, total2, total3, bias, mode);
  if (other < end) storePanel(c1, n, other, total6, total7, bias, mode);
}
