/** Training by PyTorch: the block, and whole steps of Hugging Face's GPT-2, in a Python process. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PEERS } from "../paths.ts";
import type { BlockEngine, BlockSpec, Values } from "./block.ts";
import type { Usage } from "./language-engine.ts";
import { PythonScript } from "./python-script.ts";
import { ADAMW, CLIP, type StepEngine, type StepOutcome, type StepSpec } from "./step-engine.ts";

const SCRIPT = join(PEERS, "pytorch_training.py");

interface Answer {
  readonly version?: string;
  readonly loss?: number;
  readonly norms?: readonly number[];
  readonly seconds?: number;
  readonly steps?: readonly StepOutcome[];
}

async function open(threads: number, python = "python3") {
  const script = new PythonScript<Answer>(python, [SCRIPT]);
  const { version = "" } = await script.ask({ command: "load", threads });
  return { script, version };
}

/** @throws Error when the interpreter is missing, or torch or numpy in it */
export async function loadPyTorchBlock({ threads, python }: BlockSpec): Promise<BlockEngine & { usage(): Usage }> {
  const { script, version } = await open(threads, python);
  return {
    facts: { engine: "PyTorch", version, threads },
    async prepare({ shape, x, weights, cotangent }) {
      const folder = await mkdtemp(join(tmpdir(), "gpt2-ts-torch-"));
      try {
        const store = async ({ shape, data }: Values, n: number): Promise<object> => {
          const file = join(folder, `${n}`);
          await writeFile(file, data);
          return { file, shape };
        };
        const operands = await Promise.all([x, ...weights].map(store));
        const factor = await store(cotangent, operands.length);
        await script.ask({ command: "prepareBlock", shape, operands, cotangent: factor });
      } finally {
        await rm(folder, { recursive: true });
      }
      return {
        run: async () => (await script.ask({ command: "runBlock" })).loss ?? Number.NaN,
        norms: async () => [...((await script.ask({ command: "norms" })).norms ?? [])],
      };
    },
    usage: () => script.usage,
  };
}

/** @throws Error when the interpreter is missing, or torch, transformers or safetensors in it */
export async function loadPyTorchSteps({ threads, python, model }: StepSpec): Promise<StepEngine> {
  const { script } = await open(threads, python);
  const { version = "" } = await script.ask({ command: "prepareSteps", folder: model, clip: CLIP, ...ADAMW });
  return {
    facts: { engine: "PyTorch", version, threads },
    async run(batches) {
      const ids = batches.map((batch) => batch.map((sequence) => Array.from(sequence)));
      const { seconds = Number.NaN, steps = [] } = await script.ask({ command: "steps", batches: ids });
      return { seconds, outcomes: steps };
    },
    usage: () => script.usage,
  };
}
