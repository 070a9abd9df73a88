/** The process of one engine that computes a block forward and backward. */
import { serve } from "../harness/child.ts";
import { type BlockShape, type BlockSpec, makeBlock, type PreparedBlock } from "./block.ts";
import { openBlockEngine } from "./open-block.ts";

/** What the engines must agree on. */
export interface BlockOutcome {
  readonly loss: number;
  /** Of the gradients. */
  readonly norms: readonly number[];
}

const spec: BlockSpec = JSON.parse(process.argv[2] ?? "{}");
const opened = openBlockEngine(spec);
opened.catch(() => {}); // whoever asks is told
let block: { readonly prepared: PreparedBlock; readonly T: number } | undefined;

serve(
  {
    facts: async () => (await opened).facts,

    /** Hands over the operands and computes once. */
    async prepare(shape: BlockShape): Promise<BlockOutcome> {
      const prepared = await (await opened).prepare(makeBlock(shape));
      block = { prepared, T: shape.T };
      return { loss: await prepared.run(), norms: await prepared.norms() };
    },

    /** Tokens per second of `repeats` runs in a row. */
    async sample(repeats: number): Promise<number> {
      if (block === undefined) throw new Error("sample() before prepare()");
      const start = performance.now();
      for (let i = 0; i < repeats; i++) await block.prepared.run();
      return (block.T * repeats) / ((performance.now() - start) / 1000);
    },
  },
  async () => (await opened).usage?.().cpuSeconds ?? 0,
);
