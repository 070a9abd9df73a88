import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError, unavailable } from "../api-error.ts";
import type { Metrics } from "../metrics.ts";
import type { ModelHost } from "../model-host.ts";
import { type CompletionBody, completionSchema } from "./body.ts";
import { Completion, type CompletionListener } from "./completion.ts";
import { EventStream } from "./event-stream.ts";
import { type CompletionRequest, parseCompletion, type ServedModel } from "./parse.ts";

export interface CompletionPlace {
  readonly model: ServedModel;
  readonly host: ModelHost;
  readonly metrics: Metrics;
  /** Turns what went wrong into an answer, and writes it down. */
  errorOf(error: unknown, request: FastifyRequest): ApiError;
}

const PATH = "/v1/completions";
/** What nginx writes down for a client that closed its connection. */
const CLIENT_GONE = 499;
/** Seconds that a client is told to wait, at least and at most. */
const SHORTEST_WAIT = 1;
const LONGEST_WAIT = 60;

/** Adds `POST /v1/completions`. */
export function addCompletions(app: FastifyInstance, place: CompletionPlace): void {
  const { model, host, metrics } = place;
  const { settings } = model;
  /** Milliseconds that completions took of late. */
  let usual = 0;

  app.post<{ Body: CompletionBody }>(PATH, {
    schema: { body: completionSchema },
    onRequest: checkQueue, // before the body is read
    handler: complete,
  });

  async function checkQueue(): Promise<void> {
    if (host.failure) throw unavailable(`the model is not there now: ${host.failure.message}`, "model_unavailable", 5);
    const { maxConcurrent, maxQueue } = settings;
    if (host.open < maxConcurrent + maxQueue) return;
    const turns = Math.ceil(host.open / maxConcurrent);
    const wait = Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, Math.ceil((turns * usual) / 1000)));
    throw new ApiError(`${host.open} requests are being answered or wait: try again in ${wait} s`, {
      ...{ status: 429, type: "rate_limit_error", code: "queue_full", retryAfter: wait },
    });
  }

  async function complete(request: FastifyRequest<{ Body: CompletionBody }>, reply: FastifyReply): Promise<unknown> {
    await checkQueue(); // others may have come while the body was read
    const asked = parseCompletion(model, request.body);
    const completion = new Completion(model, asked);
    const began = performance.now();
    const { signal, release } = endOf(reply, settings.timeout);
    const log = { completion: completion.id, stream: asked.stream };
    const promptTokens = completion.usage.prompt_tokens;
    let first: number | undefined;
    const listener: CompletionListener = {
      begun: () => metrics.begun(promptTokens),
      tokens: (count) => {
        metrics.generated(count);
        if (first !== undefined) return;
        first = performance.now() - began;
        metrics.firstToken(first);
      },
    };
    try {
      if (asked.stream) await streamed(completion, asked, { request, reply, listener, signal });
      else await completion.run(host, listener, signal);
      const took = performance.now() - began;
      usual += (took - usual) / 4;
      metrics.completed(took);
      request.log.info({ ...log, ...completion.usage, firstTokenTime: first, totalTime: took }, "completion");
      return asked.stream ? reply : completion.body();
    } catch (error) {
      if (error !== GONE) throw error;
      metrics.answered(PATH, CLIENT_GONE);
      request.log.info({ ...log, ...completion.usage, totalTime: performance.now() - began }, "the client has gone");
      return reply.hijack();
    } finally {
      release();
    }
  }

  async function streamed(
    completion: Completion,
    { includeUsage }: CompletionRequest,
    { request, reply, listener, signal }: Streaming,
  ): Promise<void> {
    reply.hijack();
    const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
    reply.raw.writeHead(200, { ...reply.getHeaders(), ...headers } as Record<string, string>);
    reply.raw.flushHeaders();
    const events = new EventStream(reply.raw, settings.stallTimeout);
    try {
      const piece: CompletionListener["piece"] = (index, each) => {
        if (each.text !== "" || each.finish !== null || (each.logprobs?.tokens.length ?? 0) > 0) {
          events.send(completion.chunk(index, each));
        }
      };
      await completion.run(host, { ...listener, piece }, signal);
      if (includeUsage) events.send(completion.usageChunk());
      events.send("[DONE]");
    } catch (error) {
      if (error === GONE) throw error;
      events.send(place.errorOf(error, request).body);
    } finally {
      events.end();
    }
  }
}

interface Streaming {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly listener: CompletionListener;
  readonly signal: AbortSignal;
}

/** Why an answer is not made any more: nobody is there to take it. */
const GONE = new Error("the client has gone");

/** A signal that aborts when nobody waits for an answer any more, or too long already. */
function endOf({ raw }: FastifyReply, timeout: number): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const gone = (): void => controller.abort(GONE);
  const timer = setTimeout(() => {
    controller.abort(unavailable(`the answer took longer than ${timeout / 1000} s`, "timeout", LONGEST_WAIT));
  }, timeout);
  raw.on("close", gone);
  if (raw.destroyed) gone();
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      raw.off("close", gone);
    },
  };
}
