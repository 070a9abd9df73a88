/** The process of one engine that trains a model. */
import { serve } from "../harness/child.ts";
import { peakResidentBytes } from "../harness/machine.ts";
import { lowbias32 } from "../synthetic.ts";
import type { StepBatch, StepEngine, StepOutcome, StepSpec } from "./step-engine.ts";

/** How much a step trains on. */
export interface StepSize {
  readonly sequences: number;
  /** Tokens of each sequence. */
  readonly tokens: number;
  readonly vocab: number;
}

const spec: StepSpec = JSON.parse(process.argv[2] ?? "{}");
const opened = open();
opened.catch(() => {}); // whoever asks is told
let taken = 0;

serve(
  {
    facts: async () => (await opened).facts,

    /** Steps on batches that every engine gets in the same order. */
    async outcomes(size: StepSize, steps: number): Promise<readonly StepOutcome[]> {
      return (await (await opened).run(batches(size, steps))).outcomes;
    },

    /** Tokens per second of steps in a row that take `least` seconds or more. */
    async sample(size: StepSize, least: number): Promise<number> {
      const { run } = await opened;
      let seconds = 0;
      for (let steps = 1; ; steps++) {
        seconds += (await run(batches(size, 1))).seconds;
        if (seconds >= least) return (size.sequences * size.tokens * steps) / seconds;
      }
    },

    /** Of this process, and of those that the engine started. */
    peakResidentBytes: async () => peakResidentBytes() + ((await opened).usage?.().peakResidentBytes ?? 0),

    fallbacks: async () => (await opened).fallbacks?.() ?? [],

    deviceBytes: async () => (await opened).deviceBytes?.() ?? 0,
  },
  async () => (await opened).usage?.().cpuSeconds ?? 0,
);

async function open(): Promise<StepEngine> {
  if (spec.engine === "PyTorch") return (await import("./pytorch-training.ts")).loadPyTorchSteps(spec);
  return (await import("./gpt2-ts-step.ts")).loadGpt2TsSteps(spec);
}

/** Random tokens, other ones in each sequence. */
function batches({ sequences, tokens, vocab }: StepSize, steps: number): StepBatch[] {
  const sequence = (): Int32Array => {
    const first = 65_536 * taken++;
    return Int32Array.from({ length: tokens + 1 }, (_, i) => lowbias32(first + i) % vocab);
  };
  return Array.from({ length: steps }, () => Array.from({ length: sequences }, sequence));
}
