/** Tokens per second of requests that are in flight together, against one after another. */
import { Generator } from "@gpt2-ts/tensor";
import type { Side } from "../harness/interleave.ts";
import { Client, type CompletionBody } from "./client.ts";
import type { ServerProcess } from "./server-process.ts";

export interface ThroughputPlan {
  readonly server: ServerProcess;
  readonly inFlight: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly vocabSize: number;
  /** Of `inFlight` requests, how many a sample sends one after another: other ones each time. */
  readonly aloneAtOnce: number;
}

/** Sends the same requests in both ways, and insists on the same texts. */
export class Throughput {
  readonly #plan: ThroughputPlan;
  readonly #client: Client;
  /** The text of each request as it first came. */
  readonly #texts = new Map<number, string>();
  /** Requests that were answered alone. */
  readonly #alone = new Set<number>();
  #next = 0;

  constructor(plan: ThroughputPlan) {
    this.#plan = plan;
    this.#client = new Client(plan.server.url, plan.inFlight);
  }

  /** In flight together, one after another. */
  get sides(): readonly [Side, Side] {
    const { server, inFlight, aloneAtOnce } = this.#plan;
    const cpuSeconds = (): number => server.cpuSeconds();
    const all = Array.from({ length: inFlight }, (_, i) => i);
    return [
      { name: "together", cpuSeconds, sample: () => this.#rate(() => Promise.all(all.map((i) => this.#request(i)))) },
      { name: "one after another", cpuSeconds, sample: () => this.#rate(() => this.#oneAfterAnother(aloneAtOnce)) },
    ];
  }

  /** The bodies, and what was answered to each when nobody else asked. */
  get answeredAlone(): readonly { readonly body: CompletionBody; readonly text: string }[] {
    return [...this.#alone].map((i) => ({ body: this.#body(i), text: this.#texts.get(i)! }));
  }

  close(): void {
    this.#client.close();
  }

  async #oneAfterAnother(count: number): Promise<number[]> {
    const tokens: number[] = [];
    for (let i = 0; i < count; i++) {
      const index = this.#next++ % this.#plan.inFlight;
      tokens.push(await this.#request(index));
      this.#alone.add(index);
    }
    return tokens;
  }

  async #rate(send: () => Promise<number[]>): Promise<number> {
    const start = performance.now();
    const tokens = await send();
    return tokens.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1000);
  }

  /** How many tokens came. */
  async #request(index: number): Promise<number> {
    const { status, error, choices, completionTokens } = await this.#client.send(this.#body(index));
    if (status !== 200) throw new Error(`request ${index}: status ${status}: ${error}`);
    const { text } = choices[0]!;
    if (text !== (this.#texts.get(index) ?? text))
      throw new Error(`request ${index}: another text with others than alone`);
    this.#texts.set(index, text);
    return completionTokens;
  }

  #body(index: number): CompletionBody {
    const { promptTokens, outputTokens, vocabSize } = this.#plan;
    const random = new Generator(index);
    const prompt = Array.from({ length: promptTokens }, () => Math.floor(random.uniform() * vocabSize));
    return { prompt, max_tokens: outputTokens, temperature: 1, seed: index, stream: true };
  }
}
