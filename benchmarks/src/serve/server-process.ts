/** `gpt2 serve` in a process of its own, as its users start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { REPOSITORY } from "../paths.ts";

const COMMAND = join(REPOSITORY, "packages", "cli", "bin", "gpt2.js");
const START_MS = 60_000;

export interface ServerOptions {
  /** The model's folder. */
  readonly model: string;
  /** More flags of `gpt2 serve`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
}

/** How the process ended. */
export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServerProcess {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #said: string[];

  private constructor(url: string, child: ChildProcess, ended: Promise<Ending>, said: string[]) {
    this.url = url;
    this.ended = ended;
    this.#child = child;
    this.#said = said;
  }

  /** Waits until the server answers. */
  static async start({ model, flags = [], env, node = process.execPath }: ServerOptions): Promise<ServerProcess> {
    const child = spawn(node, [COMMAND, "serve", "--model", model, "--port", "0", ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const ended = once(child, "close").then(([status, signal]): Ending => ({ status, signal }));
    const said: string[] = [];
    let url: string | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        said.push(text);
        url ??= /http:\/\/[\w.:[\]]+:\d+/.exec(said.join(""))?.[0];
      });
    }
    const late = performance.now() + START_MS;
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (url === undefined && !over && performance.now() < late) await after(10);
    if (url !== undefined) return new ServerProcess(url, child, ended, said);
    child.kill("SIGKILL");
    throw new Error(`gpt2 serve did not start:\n${said.join("")}`);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** What it wrote to standard output and standard error so far. */
  get output(): string {
    return this.#said.join("");
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and waits for that. */
  async stop(): Promise<Ending> {
    this.kill("SIGTERM");
    return await this.ended;
  }

  /** Its resident memory now; Linux only. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Seconds of processor time that it has used; Linux only. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime, the 14th and 15th field
    return ticks / TICKS_PER_SECOND;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** `sysconf(_SC_CLK_TCK)`, 100 on every Linux. */
const TICKS_PER_SECOND = 100;
