/** How much `bench:train` measures. */
import type { BlockShape } from "../engines/block.ts";
import type { StepSize } from "../engines/step-child.ts";
import type { Schedule } from "../harness/interleave.ts";

export interface TrainPlan {
  /** The Node.js binary that every engine runs on. */
  readonly node: string;
  readonly threads: number;
  /** Of GPT-2 small. */
  readonly block: BlockShape;
  readonly steps: {
    /** GPT-2 small. */
    readonly "124m": StepSize;
    /** The shipped model. */
    readonly stories: StepSize;
  };
  /** The least time of a sample; one run of a slow engine takes more. */
  readonly sampleSeconds: number;
  readonly schedule: Schedule;
}

const FULL = {
  threads: 2,
  block: { T: 512, C: 768, H: 12 },
  steps: {
    "124m": { sequences: 1, tokens: 512, vocab: 50257 },
    stories: { sequences: 8, tokens: 256, vocab: 2048 },
  },
  sampleSeconds: 2,
  schedule: { warmUp: 1, rounds: 5, restMs: 150 },
} as const satisfies Omit<TrainPlan, "node">;

/** `quick` measures the same quantities on fewer tokens and in fewer samples: for a first look, not for a claim. */
export function trainPlanFor(node: string, quick: boolean): TrainPlan {
  if (!quick) return { ...FULL, node };
  const { steps } = FULL;
  return {
    ...FULL,
    node,
    block: { ...FULL.block, T: 64 },
    steps: { "124m": { ...steps["124m"], tokens: 64 }, stories: { ...steps.stories, sequences: 1 } },
    sampleSeconds: 0,
    schedule: { ...FULL.schedule, rounds: 1 },
  };
}
