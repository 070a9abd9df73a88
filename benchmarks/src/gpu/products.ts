/** Matrix products: the kernel of GPU.js's README and ours, in every mode, and the wasm backend, in turns. */
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import type { MatmulSpec, Transfers } from "../engines/matmul-engine.ts";
import { Child } from "../harness/child.ts";
import { interleave } from "../harness/interleave.ts";
import { pairedRatio, spread } from "../harness/statistics.ts";
import { show } from "../speed/compare.ts";
import { MATMUL_CHILD } from "./modes.ts";
import type { ProductComparison, ProductTime } from "./result.ts";

/** Largest error of a correct float32 product here: sums of 1024 products of values below 0.5. */
const ACCURACY_BOUND = 1e-3;

/** Products of one size: how many rounds are measured, and how many products make one sample. */
interface Plan {
  readonly sizes: readonly [m: number, k: number, n: number];
  readonly rounds: number;
  readonly repeats: number;
}

/** The README's kernel takes half a minute for the last two on a software adapter. */
const PLANS: readonly Plan[] = [
  { sizes: [128, 128, 128], rounds: 9, repeats: 5 },
  { sizes: [512, 512, 512], rounds: 3, repeats: 1 },
  { sizes: [1024, 1024, 1024], rounds: 1, repeats: 1 },
  { sizes: [512, 768, 3072], rounds: 1, repeats: 1 },
];

interface Contestant extends Pick<ProductTime, "mode" | "contestant"> {
  readonly child: Child;
}

/** The products there are, as `--product` names them. */
export const PRODUCTS: readonly string[] = PLANS.map(({ sizes }) => sizes.join("x"));

/** The products named in `wanted`. */
export async function measureProducts(
  modes: readonly GpuMode[],
  node: string,
  threads: number,
  wanted: readonly string[],
): Promise<ProductComparison[]> {
  const contestants: Contestant[] = [];
  const add = (contestant: ProductTime["contestant"], mode: GpuMode | undefined, spec: MatmulSpec): void => {
    const options = { module: MATMUL_CHILD, args: [JSON.stringify(spec)], node };
    contestants.push({ contestant, mode, child: new Child(`${contestant}, ${mode ?? "wasm"}`, options) });
  };
  for (const mode of modes) {
    add("GPU.js's README", mode, { engine: "GPU.js", threads, mode });
    add("gpt2-ts", mode, { engine: "gpt2-ts on GPU.js", threads, mode });
  }
  add("gpt2-ts", undefined, { engine: "gpt2-ts", threads });
  try {
    const comparisons: ProductComparison[] = [];
    for (const plan of PLANS.filter(({ sizes }) => wanted.includes(sizes.join("x")))) {
      comparisons.push(await compareProducts(plan, contestants));
    }
    return comparisons;
  } finally {
    await Promise.all(contestants.map(({ child }) => child.close()));
  }
}

async function compareProducts(plan: Plan, contestants: readonly Contestant[]): Promise<ProductComparison> {
  const { sizes, rounds, repeats } = plan;
  for (const { child } of contestants) {
    const error = await child.call<number>("prepare", ...sizes);
    if (!(error < ACCURACY_BOUND)) throw new Error(`${child.name}: a wrong product, off by ${error}`);
  }
  const transfers: (Transfers | undefined)[] = [];
  const operations = 2 * sizes[0] * sizes[1] * sizes[2];
  const sides = contestants.map(({ child }, i) => ({
    name: child.name,
    async sample() {
      const before = await child.call<Transfers | undefined>("transfers");
      const speed = await child.call<number>("sample", repeats);
      transfers[i] = movedBy(before, await child.call<Transfers | undefined>("transfers"), repeats);
      return operations / speed / 1e6; // from GFLOP/s to ms
    },
    cpuSeconds: () => child.cpuSeconds,
  }));
  const { samples, repeated, disturbed, foreign } = await interleave(sides, { warmUp: 0, rounds, restMs: 100 });
  const times = contestants.map(
    ({ mode, contestant }, i): ProductTime => ({
      mode,
      contestant,
      milliseconds: spread(samples[i] ?? []),
      transfers: transfers[i],
    }),
  );
  const ratios = times.flatMap(({ mode, contestant, milliseconds: { samples: theirs } }) => {
    const ours = times.find((time) => time.contestant === "gpt2-ts" && time.mode === mode)?.milliseconds.samples;
    if (contestant === "gpt2-ts" || mode === undefined || ours === undefined) return [];
    return [{ mode, ratio: pairedRatio(theirs, ours) }];
  });
  print(sizes, times, ratios);
  return { sizes, times, ratios, repeated, disturbed, foreign };
}

/** What each of so many products moved. */
function movedBy(before: Transfers | undefined, after: Transfers | undefined, products: number): Transfers | undefined {
  if (before === undefined || after === undefined) return undefined;
  return {
    uploads: (after.uploads - before.uploads) / products,
    readbacks: (after.readbacks - before.readbacks) / products,
  };
}

function print(sizes: readonly number[], times: readonly ProductTime[], ratios: ProductComparison["ratios"]): void {
  console.log(`\nmatrix product ${sizes.join("×")} [ms]`);
  for (const { mode, contestant, milliseconds, transfers } of times) {
    const ratio = contestant === "gpt2-ts" && ratios.find((each) => each.mode === mode)?.ratio;
    const moved = transfers && `${transfers.uploads} uploads, ${transfers.readbacks} readbacks`;
    const against = ratio && `${show(ratio.median)} times as fast as the README's`;
    const name = `${contestant}, ${mode ?? "wasm"}`.padEnd(28);
    console.log([`  ${name} ${show(milliseconds.median).padStart(7)}`, moved, against].filter(Boolean).join("   "));
  }
}
