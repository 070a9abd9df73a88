import type { Socket } from "node:net";
import { checkInteger, loadTokenizer, modelSource, OptionError } from "@gpt2-ts/gpt2";
import { checkOptionNames, printable } from "@gpt2-ts/tensor/options";
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from "fastify";
import { ApiError, badRequest, unavailable } from "./api-error.ts";
import type { ServedModel } from "./completions/parse.ts";
import { addCompletions } from "./completions/route.ts";
import { Connections } from "./connections.ts";
import { Guard, isLoopback } from "./guard.ts";
import { listenError } from "./listen-error.ts";
import { Metrics } from "./metrics.ts";
import { ModelHost, ThreadEndedError } from "./model-host.ts";
import { type ServerOptions, settingsOf } from "./options.ts";
import { schemaError } from "./schema-error.ts";
import { addTokenizer } from "./tokenizer-routes.ts";

/** A server of one model. */
export interface Server {
  /** Where it listens: a URL; undefined while it does not. */
  readonly address: string | undefined;
  /**
   * Listens, at 127.0.0.1 and port 8080 unless told otherwise; port 0 is any that is free. Resolves to its address.
   *
   * @throws OptionError for an address that this machine does not have, and a port that is taken
   */
  listen(where?: ListenOptions): Promise<string>;
  /** Takes no more requests, lets those finish that are being answered, and ends the model's thread. Others that wait are refused. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ListenOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

const HOST = "127.0.0.1";
const PORT = 8080;
/** Connections are looked through so often: those that are over, and those that have taken too long to send a request. */
const CHECK_CONNECTIONS_MS = 1000;
/** While the server is closed they are looked through more often: those that were answered may go. */
const CLOSE_CONNECTIONS_MS = 50;
/** A connection that nothing comes over is asked after so long whether the other end still is there. */
const PROBE_MS = 60_000;
/** Tokens of the shortest text that there is: one of a prompt, and one more. */
const SHORTEST_TEXT = 2;
/** Routes that are asked all the time. */
const QUIET: ReadonlySet<string | undefined> = new Set(["/health", "/metrics"]);
const ROUTES =
  "POST /v1/completions, GET /v1/models, POST /tokenize, POST /detokenize, GET /tokenizer_info, GET /health, GET /metrics";

/**
 * Serves a model by OpenAI's completions interface. The model is loaded, and runs, in a thread of its own.
 *
 *     const server = await createServer("weights/stories");
 *     console.log(await server.listen({ port: 8080 }));
 *
 * @param model a model folder: a path or a URL
 * @throws OptionError, and what `GPT2.load` throws
 */
export async function createServer(model: string | URL, options: ServerOptions = {}): Promise<Server> {
  const where = String(model);
  const settings = settingsOf(where, options);
  const tokenizer = await loadTokenizer(await modelSource(where), { onWarning: () => {} }); // the thread tells
  let host: ModelHost | undefined;
  const metrics = new Metrics(() => host);
  const app = makeApp(settings);
  const { load, maxConcurrent, maxCacheBytes, tokensPerPass, startThread } = settings;
  host = await ModelHost.start(
    { where, options: load, limits: { maxConcurrent, maxCacheBytes, tokensPerPass }, startThread },
    {
      warning: (text) => app.log.warn(text),
      load: (now) => metrics.load(now),
      restarting: (error) => app.log.error(error, "the model is not there; its thread is started again"),
      restarted: () => app.log.info("the model is there again"),
    },
  );
  const served = { tokenizer, settings, ...host.loaded };
  const least = SHORTEST_TEXT * served.cacheBytesPerToken;
  if (maxCacheBytes < least) {
    await host.close();
    throw new OptionError(
      "maxCacheBytes",
      `expected ${least} or more, which a text of ${SHORTEST_TEXT} tokens takes, got ${maxCacheBytes}`,
    );
  }
  return new ModelServer(app, host, metrics, served);
}

class ModelServer implements Server {
  readonly #app: FastifyInstance;
  readonly #host: ModelHost;
  readonly #guard: Guard;
  readonly #connections: Connections;
  #address: string | undefined;
  #closing = false;

  constructor(app: FastifyInstance, host: ModelHost, metrics: Metrics, model: ServedModel) {
    this.#app = app;
    this.#host = host;
    this.#guard = new Guard(model.settings);
    app.server.maxConnections = model.settings.maxConnections;
    this.#connections = new Connections(app.server);
    app.addHook("onRequest", async (request, reply) => {
      reply.header("x-request-id", request.id);
      if (this.#closing) {
        reply.header("connection", "close");
        throw unavailable("the server is being stopped", "closing", 5);
      }
      await this.#guard.check(request, reply);
      const { "content-encoding": encoding = "identity" } = request.headers;
      if (encoding !== "identity")
        throw clientError(415, "expected a body without Content-Encoding", "unsupported_encoding");
    });
    app.addHook("preHandler", async (_, { raw }) => this.#connections.answering(raw));
    app.addHook("onSend", async (_, reply) => {
      this.#connections.answering(reply.raw);
      if (this.#closing) reply.header("connection", "close");
      reply.raw.setTimeout(model.settings.stallTimeout, () => reply.raw.destroy()); // of a client that does not read
    });
    app.addHook("onResponse", async (request, reply) => {
      const { url = "none" } = request.routeOptions;
      metrics.answered(url, reply.statusCode);
      const { method, ip } = request;
      const level = QUIET.has(url) ? "debug" : "info";
      request.log[level](
        { method, url: request.url, ip, status: reply.statusCode, time: reply.elapsedTime },
        "answered",
      );
    });
    addCompletions(app, { model, host, metrics, errorOf });
    addTokenizer(app, model);
    this.#addOthers(model, metrics);
  }

  get address(): string | undefined {
    return this.#address;
  }

  async listen(where: ListenOptions = {}): Promise<string> {
    checkOptionNames(where, ["host", "port"], "listen");
    const { host = HOST, port = PORT } = where;
    checkInteger("port", port, 0, 2 ** 16 - 1);
    this.#guard.listensAt(host);
    try {
      this.#address = await this.#app.listen({ host, port });
    } catch (error) {
      throw listenError(error, host, port);
    }
    if (!isLoopback(host)) {
      this.#app.log.warn(`others can reach this server: it listens at ${host}, and encrypts nothing`);
    }
    return this.#address;
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#address !== undefined) this.#app.log.info({ running: this.#host.open - this.#host.waiting }, "closing");
    this.#host.failWaiting(unavailable("the server is being stopped", "closing", 5));
    const closed = this.#app.close();
    const timer = setInterval(() => this.#connections.closeOthers(), CLOSE_CONNECTIONS_MS);
    await closed;
    clearInterval(timer);
    await this.#host.close();
    this.#address = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #addOthers({ settings, config }: ServedModel, metrics: Metrics): void {
    const created = Math.floor(Date.now() / 1000);
    const model = {
      ...{ id: settings.name, object: "model", created, owned_by: "gpt2-ts" },
      max_model_len: config.nPositions,
    };
    this.#app.get("/v1/models", async () => ({ object: "list", data: [model] }));
    // A name of the Hub has a slash.
    this.#app.get<{ Params: { "*": string } }>("/v1/models/*", async ({ params: { "*": id } }) => {
      if (id === settings.name) return model;
      throw notFound(`there is no model ${JSON.stringify(printable(id))} here`, "model_not_found", "model");
    });
    this.#app.get("/health", async (_, reply) => {
      const { failure } = this.#host;
      if (!failure) return { status: "ok" };
      return reply.code(503).send({ status: "failing", reason: failure.message });
    });
    this.#app.get("/metrics", async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  }
}

function makeApp({ log, logLevel, bodyLimit, receiveTimeout }: ReturnType<typeof settingsOf>): FastifyInstance {
  const app = fastify({
    logger: log ? { level: logLevel, stream: log } : false,
    logController: new LogController({ disableRequestLogging: true }), // ModelServer logs them
    bodyLimit,
    requestTimeout: receiveTimeout,
    forceCloseConnections: "idle",
    return503OnClosing: false, // it is refused above, in OpenAI's form
    http: {
      requestTimeout: receiveTimeout,
      headersTimeout: receiveTimeout,
      connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_MS,
    },
    ajv: {
      // Nothing is changed that a client sends: what is wrong is told.
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: false,
        allErrors: false,
        verbose: true,
      },
    },
    schemaErrorFormatter: schemaError,
    frameworkErrors: (error, request, reply) => void answer(errorOf(error, request), reply),
    clientErrorHandler: answerBroken,
  });
  app.removeContentTypeParser("text/plain"); // which pages may send without being asked for their origin
  app.setErrorHandler((error: FastifyError, request, reply) => answer(errorOf(error, request), reply));
  app.setNotFoundHandler(({ method, url }, reply) => {
    const what = printable(`${method} ${url.split("?")[0]}`).slice(0, 100);
    const chat = /chat/.test(what) ? "; GPT-2 continues texts, and has learned no conversations" : "";
    return answer(notFound(`there is no ${what} here${chat}. There are ${ROUTES}`, "unknown_url"), reply);
  });
  return app;
}

function notFound(message: string, code: string, param?: string): ApiError {
  return new ApiError(message, { status: 404, type: "not_found_error", code, param });
}

function answer(error: ApiError, reply: FastifyReply): FastifyReply {
  const { status, retryAfter } = error.details;
  if (retryAfter !== undefined) reply.header("retry-after", String(retryAfter));
  if (status === 401) reply.header("www-authenticate", "Bearer");
  if (!reply.request.raw.complete) reply.header("connection", "close"); // instead of reading the rest of the body
  return reply.code(status).send(error.body);
}

/** What goes wrong with a request, as its client is told. What is no fault of the client's is written down. */
function errorOf(thrown: unknown, request: FastifyRequest): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const error = thrown as Partial<FastifyError> & Error;
  if (error instanceof ThreadEndedError) return unavailable(error.message, "model_unavailable", 1);
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return clientError(413, `the body is longer than ${request.routeOptions.bodyLimit} bytes`, "body_too_large");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return clientError(415, 'expected JSON, "Content-Type: application/json"', "unsupported_media_type");
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return badRequest("expected a JSON object, got an empty body");
  }
  const { statusCode = error instanceof SyntaxError ? 400 : 500 } = error;
  if (statusCode >= 400 && statusCode < 500) return clientError(statusCode, error.message, undefined);
  request.log.error(error, "failed");
  return new ApiError(`an error inside the server, which its log has under ${request.id}`, {
    ...{ status: 500, type: "server_error", code: "internal_error" },
  });
}

function clientError(status: number, message: string, code: string | undefined): ApiError {
  return new ApiError(message, { status, type: "invalid_request_error", code });
}

/** Answers what is not HTTP, or came too slowly. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const large = error.code === "HPE_HEADER_OVERFLOW";
  const status = late ? "408 Request Timeout" : large ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const message = late ? "the request did not arrive in time" : `this is not HTTP as it should be (${error.code})`;
  const body = JSON.stringify(clientError(400, message, error.code).body);
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
}
