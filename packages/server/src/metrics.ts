import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ModelHost } from "./model-host.ts";
import type { Load } from "./thread/protocol.ts";

/** Seconds over which the speed is told. */
const SPEED_WINDOW = 10;

/** What is measured, for Prometheus. Memory and the like of the process are told under prom-client's names. */
export class Metrics {
  readonly #register = new Registry();
  readonly #requests = this.#counter("gpt2_requests_total", "Requests that were answered, by route and status", [
    "route",
    "status",
  ]);
  readonly #prompt = this.#counter("gpt2_prompt_tokens_total", "Tokens of the prompts of completions that were begun");
  readonly #generated = this.#counter("gpt2_generated_tokens_total", "Tokens that were generated");
  readonly #firstToken = this.#histogram("gpt2_time_to_first_token_seconds", "From a request to its first token");
  readonly #duration = this.#histogram("gpt2_completion_seconds", "From a request to the end of its answer");
  readonly #speed = new Speed();
  #load: Load = { texts: 0, cacheBytes: 0 };

  /** @param host the model, once it is there */
  constructor(host: () => ModelHost | undefined) {
    collectDefaultMetrics({ register: this.#register });
    this.#gauge("gpt2_requests_running", "Completions that are being made", () => {
      const { open, waiting } = host() ?? { open: 0, waiting: 0 };
      return open - waiting;
    });
    this.#gauge("gpt2_requests_waiting", "Completions that wait for their turn", () => host()?.waiting ?? 0);
    this.#gauge("gpt2_texts_running", "Texts that passes read or continue", () => this.#load.texts);
    this.#gauge("gpt2_cache_bytes", "Bytes reserved for their KV caches", () => this.#load.cacheBytes);
    this.#gauge("gpt2_tokens_per_second", `Tokens generated a second, over the last ${SPEED_WINDOW} seconds`, () =>
      this.#speed.now(),
    );
    this.#gauge("gpt2_up", "Whether the model is there", () => (host() && !host()!.failure ? 1 : 0));
  }

  get contentType(): string {
    return this.#register.contentType;
  }

  text(): Promise<string> {
    return this.#register.metrics();
  }

  answered(route: string, status: number): void {
    this.#requests.inc({ route, status });
  }

  begun(promptTokens: number): void {
    this.#prompt.inc(promptTokens);
  }

  firstToken(milliseconds: number): void {
    this.#firstToken.observe(milliseconds / 1000);
  }

  generated(tokens: number): void {
    this.#generated.inc(tokens);
    this.#speed.add(tokens);
  }

  completed(milliseconds: number): void {
    this.#duration.observe(milliseconds / 1000);
  }

  load(load: Load): void {
    this.#load = load;
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#register] });
  }

  #histogram(name: string, help: string): Histogram {
    const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
    return new Histogram({ name, help, buckets, registers: [this.#register] });
  }

  #gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#register],
      collect() {
        this.set(value());
      },
    });
  }
}

/** Tokens of each of the last seconds. */
class Speed {
  readonly #counts = new Map<number, number>();

  add(tokens: number): void {
    const second = Math.floor(performance.now() / 1000);
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + tokens);
    this.#forget(second);
  }

  /** Of whole seconds: the one that goes on is left out. */
  now(): number {
    const second = Math.floor(performance.now() / 1000);
    this.#forget(second);
    let sum = 0;
    for (const [then, tokens] of this.#counts) if (then < second) sum += tokens;
    return sum / SPEED_WINDOW;
  }

  #forget(second: number): void {
    for (const then of this.#counts.keys()) if (then < second - SPEED_WINDOW) this.#counts.delete(then);
  }
}
