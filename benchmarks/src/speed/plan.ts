/** How much `bench:speed` measures. */
import type { Schedule } from "../harness/interleave.ts";
import type { SyntheticName } from "../synthetic.ts";

export interface Plan {
  /** The Node.js binary that every engine runs on. */
  readonly node: string;
  readonly threads: number;
  readonly checkpoint: SyntheticName;
  readonly vocab: number;
  /** Prompt lengths. */
  readonly prefill: readonly number[];
  /** Tokens before the first decoded one, and tokens decoded per sample. */
  readonly decodeContext: number;
  readonly decodeTokens: number;
  /** Tokens of the prompt whose continuation is awaited from a cold start. */
  readonly coldPrompt: number;
  readonly coldRounds: number;
  /** m, k, n of the matrix products. */
  readonly products: readonly (readonly [m: number, k: number, n: number])[];
  readonly schedule: Schedule;
}

const FULL = {
  threads: 2,
  checkpoint: "synthetic-124m",
  vocab: 50257,
  prefill: [128, 512],
  decodeContext: 64,
  decodeTokens: 64,
  coldPrompt: 16,
  coldRounds: 5,
  products: [
    [512, 768, 3072],
    [1024, 1024, 1024],
  ],
  schedule: { warmUp: 1, rounds: 5, restMs: 150 },
} as const satisfies Omit<Plan, "node">;

/** The longest context of the models that are measured. */
export const LONGEST_CONTEXT = 1024;

/** The same plan with `context` tokens before the first decoded one, and no more tokens than then fit. */
export function decodingAt<P extends Plan>(plan: P, context: number): P {
  return { ...plan, decodeContext: context, decodeTokens: Math.min(plan.decodeTokens, LONGEST_CONTEXT - context) };
}

/** `quick` measures the same quantities with fewer samples: for a first look, not for a claim. */
export function planFor(node: string, quick: boolean): Plan {
  if (!quick) return { ...FULL, node };
  return { ...FULL, node, decodeTokens: 24, coldRounds: 1, schedule: { ...FULL.schedule, rounds: 2 } };
}
