import { OptionError } from "@gpt2-ts/gpt2";
import type { LogLevel, Server, ServerOptions } from "@gpt2-ts/server";
import { Command, InvalidArgumentError, Option } from "commander";
import { findModel } from "./find-model.ts";
import { interruptible } from "./interruption.ts";
import { addModelOptions, type ModelFlags, parseInteger, parseNumber } from "./model-options.ts";
import { noteStream } from "./output.ts";

interface ServeFlags extends ModelFlags {
  readonly host: string;
  readonly port: number;
  readonly name?: string;
  readonly maxConcurrent?: number;
  readonly maxQueue?: number;
  readonly maxCacheBytes?: number;
  readonly timeout?: number;
  readonly apiKeyEnv?: string;
  readonly allowHost?: readonly string[];
  readonly cors?: readonly string[];
  readonly logLevel?: LogLevel;
}

/** `gpt2 serve`: OpenAI's completions interface. */
export function serveCommand(): Command {
  return addModelOptions(new Command("serve"))
    .description("serve a model over HTTP, by OpenAI's completions interface")
    .option("--host <address>", "where to listen; any address but a loopback one lets others in", "127.0.0.1")
    .option("--port <number>", "0: any that is free", parsePort, 8080)
    .option("--name <name>", "what clients call the model (default: the last part of its path)")
    .option("--max-concurrent <count>", "texts that are continued together (default: 16)", parseInteger)
    .option("--max-queue <count>", "requests that may wait; more get 429 (default: 256)", parseInteger)
    .option("--max-cache-bytes <count>", "memory for keys and values of these texts (default: 1 GiB)", parseInteger)
    .option("--timeout <seconds>", "how long a request may wait and be answered (default: 600)", parseSeconds)
    .addOption(
      new Option(
        "--api-key-env <name>",
        "the environment variable that holds the key which clients must give",
      ).argParser(parseName),
    )
    .option("--allow-host <name>", "another name that clients may use for this server; may be given several times", add)
    .option("--cors <origin>", 'an origin whose pages may use it, "*" for any; may be given several times', add)
    .addOption(
      new Option("--log-level <level>", "of the log on standard error").choices(["debug", "info", "warn", "error"]),
    )
    .addHelpText(
      "after",
      "\nPOST /v1/completions, GET /v1/models, POST /tokenize, POST /detokenize, GET /tokenizer_info, GET /health," +
        "\nGET /metrics. The log is lines of JSON. Ctrl-C and SIGTERM let requests finish that are being answered; a second" +
        "\none ends them.",
    )
    .action((flags: ServeFlags) => interruptible((signal) => serve(flags, signal)));
}

async function serve(flags: ServeFlags, signal: AbortSignal): Promise<void> {
  const { apiKeyEnv, timeout } = flags;
  const apiKey = apiKeyEnv === undefined ? undefined : process.env[apiKeyEnv];
  if (apiKeyEnv !== undefined && !apiKey) {
    throw new OptionError("apiKeyEnv", `the environment variable ${apiKeyEnv} is not set`);
  }
  const { createServer } = await loadServer();
  const { device, threads, deterministic, gpuMode, dtype, cacheDtype } = flags;
  const server: Server = await named(createServer, await findModel(flags, signal), {
    name: flags.name,
    load: { device, threads, deterministic, gpuMode, dtype, cacheDtype },
    maxConcurrent: flags.maxConcurrent,
    maxQueue: flags.maxQueue,
    maxCacheBytes: flags.maxCacheBytes,
    timeout: timeout && Math.ceil(timeout * 1000),
    apiKey,
    allowedHosts: flags.allowHost,
    cors: flags.cors,
    log: noteStream(),
    logLevel: flags.logLevel,
  });
  try {
    if (signal.aborted) return;
    await server.listen({ host: flags.host, port: flags.port });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  } finally {
    await server.close();
  }
}

/** Options of createServer whose flags have other names. */
const FLAGS: Readonly<Record<string, string>> = { apiKey: "apiKeyEnv", allowedHosts: "allowHost" };

/** The server; errors name the flag at fault. */
async function named(
  createServer: typeof import("@gpt2-ts/server").createServer,
  model: string,
  options: ServerOptions,
) {
  try {
    return await createServer(model, options);
  } catch (error) {
    const flag = error instanceof OptionError ? FLAGS[error.option] : undefined;
    if (flag === undefined) throw error;
    const { option, message } = error as OptionError;
    throw new OptionError(flag, message.slice(`${option}: `.length));
  }
}

/** It brings dozens of packages along, which the other commands do without. */
async function loadServer(): Promise<typeof import("@gpt2-ts/server")> {
  try {
    return await import("@gpt2-ts/server");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new Error("serve needs a package that is not installed: npm install @gpt2-ts/server", { cause });
  }
}

function parsePort(text: string): number {
  const port = parseInteger(text);
  if (port >= 0 && port < 2 ** 16) return port;
  throw new InvalidArgumentError("expected a number from 0 to 65535");
}

function parseSeconds(text: string): number {
  const seconds = parseNumber(text);
  if (seconds > 0 && seconds < 2 ** 21) return seconds;
  throw new InvalidArgumentError("expected a number above 0, less than 2097152");
}

function parseName(text: string): string {
  if (text === "") throw new InvalidArgumentError("expected a name");
  return text;
}

function add(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
