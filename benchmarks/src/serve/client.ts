/** A client of completions that notes when each piece came. It does no more than it must: its time is part of what is measured. */
import { Agent, request } from "node:http";

/** What a request's body holds, as OpenAI names it. */
export interface CompletionBody {
  readonly prompt: string | readonly number[] | readonly string[];
  readonly max_tokens: number;
  readonly temperature: number;
  readonly seed?: number;
  readonly stop?: string;
  readonly logprobs?: number;
  readonly stream?: boolean;
}

export interface Choice {
  readonly index: number;
  text: string;
  finish_reason: string | null;
  logprobs?: { readonly token_logprobs: readonly (number | null)[] } | null;
}

/** An answer with its times, in milliseconds. */
export interface Answer {
  readonly status: number;
  readonly choices: readonly Choice[];
  readonly completionTokens: number;
  /** Until the first piece of a stream, or the whole answer. */
  readonly firstMs: number;
  readonly totalMs: number;
  /** The body of an answer that is an error. */
  readonly error?: string;
}

/** The client hung up on purpose. */
export class HungUp extends Error {
  override readonly name = "HungUp";
  /** What had come of each choice. */
  readonly texts: readonly string[];
  constructor(texts: readonly string[]) {
    super("the client hung up");
    this.texts = texts;
  }
}

export interface SendOptions {
  /** Hangs up after so many pieces of a stream, if it has so many. */
  readonly hangUpAfter?: number;
  /** Sent as it stands, instead of the body as JSON. */
  readonly raw?: string;
  readonly contentType?: string;
}

interface Chunk {
  readonly choices: readonly Choice[];
  readonly usage?: { readonly completion_tokens: number } | null;
  readonly error?: { readonly message: string };
}

export class Client {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(url: string, connections: number) {
    this.#url = `${url}/v1/completions`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @throws HungUp, or an error of the connection */
  send(body: CompletionBody, options: SendOptions = {}): Promise<Answer> {
    const { hangUpAfter, raw, contentType = "application/json" } = options;
    const streamed = body.stream === true;
    const text = raw ?? JSON.stringify(streamed ? { ...body, stream_options: { include_usage: true } } : body);
    const start = performance.now();
    return new Promise((resolve, reject) => {
      const headers = { "content-type": contentType, "content-length": Buffer.byteLength(text) };
      const call = request(this.#url, { method: "POST", agent: this.#agent, headers }, (response) => {
        const status = response.statusCode!;
        const stream = new StreamedAnswer();
        let whole = "";
        let first: number | undefined;
        response.setEncoding("utf8");
        response.on("data", (data: string) => {
          first ??= performance.now() - start;
          if (!streamed || status !== 200) {
            whole += data;
            return;
          }
          stream.take(data);
          if (hangUpAfter === undefined || stream.pieces < hangUpAfter) return;
          call.destroy();
          reject(new HungUp(stream.choices.map((choice) => choice.text)));
        });
        response.on("error", reject);
        response.on("end", () => {
          const totalMs = performance.now() - start;
          const times = { status, firstMs: first ?? totalMs, totalMs };
          try {
            if (status !== 200) resolve({ ...times, choices: [], completionTokens: 0, error: whole });
            else if (streamed) resolve({ ...times, choices: stream.choices, completionTokens: stream.finish() });
            else resolve({ ...times, ...wholeAnswer(whole) });
          } catch (error) {
            reject(error);
          }
        });
      });
      call.on("error", reject);
      call.end(text);
    });
  }
}

function wholeAnswer(text: string): Pick<Answer, "choices" | "completionTokens"> {
  const { choices, usage } = JSON.parse(text) as Chunk;
  return { choices, completionTokens: usage!.completion_tokens };
}

/** Server-sent events, put together again. */
class StreamedAnswer {
  readonly choices: Choice[] = [];
  /** Events that brought text. */
  pieces = 0;
  #rest = "";
  #tokens: number | undefined;
  #done = false;

  take(data: string): void {
    const events = (this.#rest + data).split("\n\n");
    this.#rest = events.pop()!;
    for (const event of events) {
      if (!event.startsWith("data: ")) throw new Error(`not an event with data: ${JSON.stringify(event)}`);
      const json = event.slice("data: ".length);
      if (json === "[DONE]") this.#done = true;
      else this.#piece(JSON.parse(json) as Chunk);
    }
  }

  /** How many tokens there were. */
  finish(): number {
    if (!this.#done || this.#rest !== "") throw new Error("the stream ended without [DONE]");
    if (this.#tokens === undefined) throw new Error("the stream ended without its usage");
    return this.#tokens;
  }

  #piece({ choices, usage, error }: Chunk): void {
    if (error) throw new Error(`the stream brought an error: ${error.message}`);
    if (usage) this.#tokens = usage.completion_tokens;
    for (const { index, text, finish_reason, logprobs } of choices) {
      this.choices[index] ??= { index, text: "", finish_reason: null };
      const choice = this.choices[index];
      choice.text += text;
      choice.finish_reason ??= finish_reason;
      if (logprobs) {
        const before = choice.logprobs?.token_logprobs ?? [];
        choice.logprobs = { token_logprobs: [...before, ...logprobs.token_logprobs] };
      }
      this.pieces++;
    }
  }
}
