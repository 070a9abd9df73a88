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

    /** Tokens per second of runs in a row that take `least` seconds or more: one of a slow engine, several of a fast one. */
    async sample(least: number): Promise<number> {
      if (block === undefined) throw new Error("sample() before prepare()");
      const start = performance.now();
      for (let runs = 1; ; runs++) {
        await block.prepared.run();
        const seconds = (performance.now() - start) / 1000;
        if (seconds >= least) return (block.T * runs) / seconds;
      }
    },
  },
  async () => (await opened).usage?.().cpuSeconds ?? 0,
);
