import { createWasmBackend, tensor } from "@gpt2-ts/tensor";

// The largest matrix of a block of GPT-2 small, [768, 3072], and as many tokens as a short prompt has.
const [T, C, F] = [64, 768, 3072];
const x = Float32Array.from({ length: T * C }, (_, i) => Math.sin(i));
const w = Float32Array.from({ length: C * F }, (_, i) => Math.cos(i) / 16);
const y = new Float32Array(T * F);
measure("three loops, a row times a column", T, () => {
  for (let t = 0; t < T; t++)
    for (let f = 0; f < F; f++) {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += x[t * C + c] * w[c * F + f]; // jumps F numbers ahead each time
      y[t * F + f] = sum;
    }
});

measure("panels: four columns at a time, copied together", T, () => {
  const panel = new Float32Array(C * 4);
  for (let f = 0; f < F; f += 4) {
    for (let c = 0; c < C; c++) panel.set(w.subarray(c * F + f, c * F + f + 4), c * 4);
    for (let t = 0; t < T; t++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let c = 0; c < C; c++) {
        const number = x[t * C + c]; // read once for four sums
        s0 += number * panel[c * 4];
        s1 += number * panel[c * 4 + 1];
        s2 += number * panel[c * 4 + 2];
        s3 += number * panel[c * 4 + 3];
      }
      y.set([s0, s1, s2, s3], t * F + f);
    }
  }
});

// The library's kernels: WebAssembly, with SIMD from the first thread on.
for (const threads of [1, 2]) {
  const device = createWasmBackend({ threads });
  const [many, matrix] = [tensor(x, { device }).reshape([T, C]), tensor(w, { device }).reshape([C, F])];
  for (const encoding of ["f32", "int8"] as const) {
    const packed = matrix.pack(encoding);
    for (const rows of [T, 1]) {
      const input = many.slice(0, 0, rows);
      measure(`${encoding}, ${threads} thread(s), tokens: ${rows}`, rows, () => input.matmul(packed).dataSync());
    }
  }
  device.dispose();
}

function measure(name: string, rows: number, compute: () => unknown): void {
  let best = Infinity;
  for (let runs = 0, begin = performance.now(); runs < 3 || performance.now() - begin < 100; runs++) {
    const start = performance.now();
    compute();
    best = Math.min(best, (performance.now() - start) / rows);
  }
  console.log(`${name.padEnd(48)} ${best.toFixed(3)} ms a token, ${((2 * C * F) / best / 1e6).toFixed(1)} GFLOP/s`);
}
