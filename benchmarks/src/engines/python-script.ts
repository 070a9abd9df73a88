/** A Python process of a peer, which is told what to do line by line. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Usage } from "./language-engine.ts";

/** Answers each line of JSON with one; each answer says what the process has used so far. */
export class PythonScript<Answer> {
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
    const answer: Answer & Usage & { readonly error?: string } = JSON.parse(line.value);
    if (answer.error !== undefined) throw new Error(answer.error);
    this.usage = { cpuSeconds: answer.cpuSeconds, peakResidentBytes: answer.peakResidentBytes };
    return answer;
  }
}
