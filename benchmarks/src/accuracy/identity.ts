/** Bit-identical results: for any number of threads, from run to run, and between a packed batch and single runs. */
import { disposeModel, loadModel, type Model, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend } from "@gpt2-ts/tensor";
import type { ReferencePrompt } from "../reference-values.ts";
import { packedDigests, prefill } from "./passes.ts";
import type { IdentityCheck } from "./result.ts";

const THREADS = [1, 2, 3];

/**
 * `model` is loaded on a deterministic wasm backend with two threads; `digests` are those of its prefills.
 *
 * @param relaxed whether to check the build with relaxed SIMD instead, which promises the same within one engine
 */
export async function checkIdentities(
  name: string,
  folder: string,
  prompts: readonly ReferencePrompt[],
  relaxed: boolean,
): Promise<IdentityCheck[]> {
  const build = relaxed ? "relaxed SIMD" : "deterministic";
  const byThreads: string[][] = [];
  const checks: IdentityCheck[] = [];
  for (const threads of THREADS) {
    const backend = createWasmBackend({ threads, deterministic: !relaxed });
    const model = await loadModel(await modelSource(folder), { device: backend });
    const digests = await singleDigests(model, prompts);
    byThreads.push(digests);
    if (threads === 2) {
      const again = await singleDigests(model, prompts);
      checks.push({ model: name, what: `${build}: a second run`, held: same(digests, again) });
      const packed = await packedDigests(model, prompts);
      checks.push({ model: name, what: `${build}: packed into one batch, and alone`, held: same(digests, packed) });
    }
    disposeModel(model);
    backend.dispose();
  }
  const held = byThreads.every((digests) => same(digests, byThreads[0] ?? []));
  return [{ model: name, what: `${build}: ${THREADS.join(", ")} threads`, held }, ...checks];
}

async function singleDigests(model: Model, prompts: readonly ReferencePrompt[]): Promise<string[]> {
  const digests: string[] = [];
  for (const prompt of prompts) digests.push((await prefill(model, prompt)).digest);
  return digests;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((digest, i) => digest === b[i]);
}
