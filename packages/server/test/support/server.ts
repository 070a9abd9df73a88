import { fileURLToPath } from "node:url";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll } from "vitest";
import { createServer, type ListenOptions, type Server, type ServerOptions } from "../../src/index.ts";
import { type InProcess, inProcess } from "./in-process.ts";

export const SHAKESPEARE = fileURLToPath(new URL("../../../../weights/shakespeare", import.meta.url));
export const NAME = "shakespeare";
export const PROMPT = "To be, or not to be";

/** A server that runs the sources, and what asks it. */
export interface TestServer {
  readonly server: Server;
  readonly url: string;
  /** The threads that were started, the latest last. */
  readonly threads: readonly InProcess[];
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  complete(body: object): Promise<CompletionAnswer>;
}

export interface CompletionAnswer {
  readonly id: string;
  readonly object: string;
  readonly model: string;
  readonly choices: readonly AnswerChoice[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number };
}

export interface AnswerChoice {
  readonly text: string;
  readonly index: number;
  readonly finish_reason: string;
  readonly logprobs: {
    readonly tokens: readonly string[];
    readonly token_logprobs: readonly (number | null)[];
    readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
    readonly text_offset: readonly number[];
  } | null;
}

export interface ErrorAnswer {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** Starts a server; the tests' end closes it. */
export async function serving(
  options: ServerOptions = {},
  where: ListenOptions = {},
  model: string = SHAKESPEARE,
): Promise<TestServer> {
  const threads: InProcess[] = [];
  const startThread = (): InProcess => {
    const thread = inProcess();
    threads.push(thread);
    return thread;
  };
  const server = await createServer(model, { load: { threads: 1 }, startThread, ...options });
  const url = await server.listen({ port: 0, ...where });
  afterAll(() => server.close());
  const post: TestServer["post"] = (path, body, init) =>
    fetch(`${url}${path}`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
      headers: { "content-type": "application/json", ...(init?.headers as Record<string, string>) },
    });
  return {
    ...{ server, url, threads, post },
    async complete(body) {
      const response = await post("/v1/completions", body);
      const answer = await response.json();
      if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
      return answer as CompletionAnswer;
    },
  };
}

/** The model that is served, to compare with. */
export function served(): Promise<GPT2> {
  return GPT2.load(SHAKESPEARE, { threads: 1 });
}

/** The data of server-sent events. */
export function eventsOf(text: string): unknown[] {
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => {
      const data = event.slice("data: ".length);
      return data === "[DONE]" ? data : JSON.parse(data);
    });
}
