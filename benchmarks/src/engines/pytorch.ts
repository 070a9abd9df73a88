/** GPT-2 as Hugging Face's `transformers` runs it on PyTorch, in a Python process that is told what to do line by line. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PEERS } from "../paths.ts";
import type { EngineSpec, LanguageEngine, Usage } from "./language-engine.ts";

const SCRIPT = join(PEERS, "pytorch_engine.py");

/** What the script answers a request with. */
interface Answer extends Usage {
  readonly error?: string;
  readonly version?: string;
  readonly token?: number;
  readonly seconds?: number;
}

/** @throws Error when the interpreter is missing, or torch, transformers or safetensors in it */
export async function loadPyTorch({ python = "python3", model, threads }: EngineSpec): Promise<LanguageEngine> {
  const script = new Script(python, [SCRIPT, model, String(threads)]);
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

/** A Python process that answers each line of JSON with one. */
class Script {
  usage: Usage = { cpuSeconds: 0, peakResidentBytes: 0 };
  readonly #process;
  readonly #answers: AsyncIterator<string>;
  readonly #failed: Promise<never>;

  constructor(python: string, args: readonly string[]) {
    this.#process = spawn(python, args, { stdio: ["pipe", "pipe", "ignore"] });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#failed = new Promise((_, reject) => {
      this.#process.once("error", reject);
      this.#process.once("exit", (code) => reject(new Error(`${python} ended with status ${code}`)));
    });
    this.#failed.catch(() => {}); // whoever asks is told
  }

  /** One request at a time. */
  async ask(request: object): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await Promise.race([this.#answers.next(), this.#failed]);
    if (line.done) return this.#failed;
    const answer: Answer = JSON.parse(line.value);
    if (answer.error !== undefined) throw new Error(answer.error);
    this.usage = { cpuSeconds: answer.cpuSeconds, peakResidentBytes: answer.peakResidentBytes };
    return answer;
  }
}
