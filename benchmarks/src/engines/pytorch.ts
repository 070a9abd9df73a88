/** GPT-2 as Hugging Face's `transformers` runs it on PyTorch, in a Python process that is told what to do line by line. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PEERS } from "../paths.ts";
import type { EngineSpec, LanguageEngine } from "./language-engine.ts";
import { PythonScript } from "./python-script.ts";

const SCRIPT = join(PEERS, "pytorch_engine.py");

/** What the script answers a request with. */
interface Answer {
  readonly version?: string;
  readonly token?: number;
  readonly seconds?: number;
}

/** @throws Error when the interpreter is missing, or torch, transformers or safetensors in it */
export async function loadPyTorch({ python = "python3", model, threads }: EngineSpec): Promise<LanguageEngine> {
  const script = new PythonScript<Answer>(python, [SCRIPT, model, String(threads)]);
  const { version = "" } = await script.ask({ command: "load" });
  return {
    facts: { engine: "PyTorch", version, threads },
    start: () => {
      const started = script.ask({ command: "start" });
      return {
        async forward(ids) {
          await started;
          const folder = await mkdtemp(join(tmpdir(), "gpt2-ts-torch-"));
          try {
            const out = join(folder, "logits");
            await script.ask({ command: "run", ids: Array.from(ids), out });
            const { buffer, byteOffset, byteLength } = await readFile(out);
            return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
          } finally {
            await rm(folder, { recursive: true });
          }
        },
        async run(ids) {
          await started;
          await script.ask({ command: "run", ids: Array.from(ids) });
        },
        async next(ids) {
          await started;
          const { token = Number.NaN } = await script.ask({ command: "next", ids: Array.from(ids) });
          return token;
        },
        dispose: () => {},
      };
    },
    async decode(prompt, tokens) {
      const { seconds = Number.NaN } = await script.ask({ command: "decode", ids: Array.from(prompt), tokens });
      return seconds;
    },
    usage: () => script.usage,
  };
}
