/** Matrix products, all libraries in turns. */
import type { MatmulSpec } from "../engines/matmul-engine.ts";
import { Child } from "../harness/child.ts";
import { compare, side } from "./compare.ts";
import type { Contestant } from "./contestant.ts";
import type { Plan } from "./plan.ts";
import type { Comparison, Facts, Part } from "./result.ts";

const MATMUL_CHILD = new URL("../engines/matmul-child.js", import.meta.url);
/** Largest error of a correct float32 product here: sums of 1024 products of values below 0.5. */
const ACCURACY_BOUND = 1e-3;
/** Products per sample: about half a second of a slow library. */
const REPEATS = 5;

export async function measureMatmul(
  plan: Plan,
  contestants: readonly Contestant<MatmulSpec>[],
): Promise<Pick<Part, "engines" | "comparisons">> {
  const children = contestants.map(
    ({ name, spec }) => new Child(name, { module: MATMUL_CHILD, args: [JSON.stringify(spec)], node: plan.node }),
  );
  try {
    const engines = [];
    for (const child of children) {
      engines.push({ name: child.name, facts: await child.call<Facts>("facts"), error: undefined });
    }
    const comparisons: Comparison[] = [];
    for (const [m, k, n] of plan.products) {
      for (const child of children) {
        const error = await child.call<number>("prepare", m, k, n);
        if (!(error < ACCURACY_BOUND)) throw new Error(`${child.name}: a wrong product, off by ${error}`);
      }
      const sides = children.map((child) => side(child, "sample", REPEATS));
      const about = { title: `matrix product ${m}×${k}×${n}`, unit: "GFLOP/s", higherIsBetter: true } as const;
      comparisons.push(await compare(about, sides, plan.schedule));
    }
    return { engines, comparisons };
  } finally {
    await Promise.all(children.map((child) => child.close()));
  }
}
