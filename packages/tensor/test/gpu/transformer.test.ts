import { expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import {
  attention,
  embedding,
  fromData,
  Generator,
  keep,
  layerNorm,
  linear,
  randn,
  type Tensor,
  tidy,
  zeros,
} from "../../src/index.ts";
import { describeOnGpu } from "./modes.ts";

// GPT-2 with a single block, as packages/gpt2/src/model.ts has it.
const [V, C, H, F, POSITIONS] = [50, 24, 3, 96, 16] as const;
const D = C / H;

/**
 * float32 against float64 through some twenty sums of up to 96 terms of size 1: 2⁻²⁴ · √96 · 20 ≈ 10⁻⁵, and as much again
 * for a device whose exp and division are off by a few ulps.
 */
const TOLERANCE = 2e-5;

/** A model whose `read` takes the tokens that follow and gives each one's scores, [tokens, V]. */
function model(device: Backend) {
  const generator = new Generator(7);
  const weight = (rows: number, columns: number, size: number) =>
    keep(randn([rows, columns], { seed: generator, device }).mul(size));
  const vector = (size: number, around: number) =>
    keep(randn([size], { seed: generator, device }).mul(0.1).add(around));
  const dense = (rows: number, columns: number) => ({
    w: weight(rows, columns, 1 / Math.sqrt(rows)),
    b: vector(columns, 0),
  });
  const norm = () => ({ gain: vector(C, 1), shift: vector(C, 0) });
  const [wte, wpe] = [weight(V, C, 1), weight(POSITIONS, C, 0.3)];
  const [ln1, ln2, lnF] = [norm(), norm(), norm()];
  const [qkv, proj, fc, out] = [dense(C, 3 * C), dense(C, C), dense(C, F), dense(F, C)];
  const buffer = () => keep(zeros([POSITIONS, H, D], { device }));
  const [keys, values] = [buffer(), buffer()];
  let past = 0;

  type Rows = Tensor<readonly [number, number]>;
  const normalized = (x: Rows, { gain, shift }: typeof ln1): Rows => layerNorm(x, gain, shift, 1e-5);
  const block = (x: Rows, T: number): Rows => {
    const [q, k, v] = linear(normalized(x, ln1), qkv.w, qkv.b)
      .split([C, C, C], -1)
      .map((part) => part.reshape([T, H, D])) as [typeof keys, typeof keys, typeof keys];
    const seen = past > 0 ? { key: keys.slice(0, 0, past), value: values.slice(0, 0, past) } : undefined;
    const y = attention(q, k, v, { segments: [{ start: 0, length: T, past: seen }] });
    keys.slice(0, past, past + T).copy_(k);
    values.slice(0, past, past + T).copy_(v);
    const attended = x.add(linear(y.reshape([T, C]), proj.w, proj.b));
    const hidden = linear(normalized(attended, ln2), fc.w, fc.b, { activation: "gelu" });
    return attended.add(linear(hidden, out.w, out.b));
  };

  return {
    async read(ids: readonly number[]): Promise<number[][]> {
      const T = ids.length;
      const scores = tidy(() => {
        const tokens = fromData(ids, [T], { dtype: "int32", device });
        const positions = fromData(
          ids.map((_, i) => past + i),
          [T],
          { dtype: "int32", device },
        );
        const x = block(embedding(wte, tokens).add(embedding(wpe, positions)), T);
        return normalized(x, lnF).matmul(wte.transpose());
      });
      past += T;
      return (await scores.toList()) as number[][];
    },
  };
}

function expectClose(actual: readonly number[][], expected: readonly number[][]): void {
  expect(actual.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  const differences = actual.flatMap((row, t) => row.map((score, i) => Math.abs(score - expected[t]![i]!)));
  expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
}

await describeOnGpu("a transformer", (device) => {
  const ids = [3, 41, 5, 9, 26, 5, 35, 8];

  test("has the reference's scores for a prompt, none of its ops on the CPU", async () => {
    device.fallbacks.clear();
    expectClose(await model(device).read(ids), await model(referenceBackend).read(ids));
    expect(device.fallbacks.entries()).toEqual([]);
  });

  test("has them too when it reads token by token behind a KV cache", async () => {
    const expected = await model(referenceBackend).read(ids);
    const reading = model(device);
    const scores = await reading.read(ids.slice(0, 4));
    device.fallbacks.clear();
    for (const id of ids.slice(4)) scores.push(...(await reading.read([id])));
    expectClose(scores, expected);
    expect(device.fallbacks.entries()).toEqual([]);
  });

  test("moves only ids and positions in and scores out for a token", async () => {
    const reading = model(device);
    await reading.read(ids.slice(0, 4));
    const before = device.info();
    await reading.read(ids.slice(4, 5));
    const after = device.info();
    expect(after.uploadedBytes - before.uploadedBytes).toBe(8);
    expect(after.readBytes - before.readBytes).toBe(4 * V);
  });
});
