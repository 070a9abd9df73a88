import { checkInteger, OptionError } from "@gpt2-ts/gpt2";
import { checkChoice, checkOptionNames, showValue } from "@gpt2-ts/tensor/options";
import type { Thread } from "./model-host.ts";
import type { ThreadLoadOptions } from "./thread/protocol.ts";

/** How a model is served. */
export interface ServerOptions {
  /** What clients call the model. Default: the last part of its path. */
  readonly name?: string | undefined;
  /** How the model is loaded, as by `GPT2.load`. */
  readonly load?: ThreadLoadOptions | undefined;
  /** Texts that are continued together; others wait. Default 16. */
  readonly maxConcurrent?: number | undefined;
  /** Bytes of their KV caches. A request with a text that does not fit alone is refused. Default 1 GiB. */
  readonly maxCacheBytes?: number | undefined;
  /** Tokens of prompts that a pass reads, so that texts that are being continued go on meanwhile. Default 256. */
  readonly tokensPerPass?: number | undefined;
  /** Requests that wait while `maxConcurrent` are answered; more are refused (429). Default 256. */
  readonly maxQueue?: number | undefined;
  /** Prompts of a request, times `n`. Default 128. */
  readonly maxChoices?: number | undefined;
  /** Bytes of a request's body. Default 1 MiB. */
  readonly bodyLimit?: number | undefined;
  /** Connections at once. Default 1,024. */
  readonly maxConnections?: number | undefined;
  /** Milliseconds in which a request must have arrived. Default 30 s. */
  readonly receiveTimeout?: number | undefined;
  /** Milliseconds that a request may wait and be answered in all. Default 10 minutes. */
  readonly timeout?: number | undefined;
  /** Milliseconds after which a client that does not read is dropped. Default 30 s. */
  readonly stallTimeout?: number | undefined;
  /** The key that clients must give (`Authorization: Bearer …`). Default: none. */
  readonly apiKey?: string | undefined;
  /** Names that clients may call this server by (`Host`), besides those that it has anyway. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins of pages that may use this server; `"*"` is any. Default: none. */
  readonly cors?: readonly string[] | undefined;
  /** Where the log goes, a line of JSON each time. Default: nowhere. */
  readonly log?: NodeJS.WritableStream | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** @internal */
  readonly startThread?: (() => Thread) | undefined;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const defaults = {
  load: {},
  maxConcurrent: 16,
  maxCacheBytes: 2 ** 30,
  tokensPerPass: 256,
  maxQueue: 256,
  maxChoices: 128,
  bodyLimit: 2 ** 20,
  maxConnections: 1024,
  receiveTimeout: 30_000,
  timeout: 600_000,
  stallTimeout: 30_000,
  allowedHosts: [],
  cors: [],
  logLevel: "info",
} as const;

type Defaulted = { readonly [Name in keyof typeof defaults]: NonNullable<ServerOptions[Name]> };

/** Options with the defaults for those that are not given. */
export type Settings = Omit<ServerOptions, keyof Defaulted | "name"> & Defaulted & { readonly name: string };

const names = [...Object.keys(defaults), "name", "apiKey", "log", "startThread"];

/** @throws OptionError for an option that is unknown or out of range */
export function settingsOf(model: string, options: ServerOptions): Settings {
  checkOptionNames(options, names, "createServer");
  checkOptionNames(options.load, ["device", "threads", "deterministic", "gpuMode", "dtype", "cacheDtype"], "load");
  for (const [name, least] of [
    ["maxConcurrent", 1],
    ["maxCacheBytes", 1],
    ["tokensPerPass", 1],
    ["maxQueue", 0],
    ["maxChoices", 1],
    ["bodyLimit", 1],
    ["maxConnections", 1],
    ["receiveTimeout", 1],
    ["timeout", 1],
    ["stallTimeout", 1],
  ] as const) {
    checkInteger(name, options[name], least, least === 0 ? undefined : MOST[name]);
  }
  checkChoice("logLevel", options.logLevel, LOG_LEVELS);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { ...defaults, name: lastPart(model), ...given };
  if (settings.name === "") throw new OptionError("name", "expected what clients call the model, got an empty name");
  if (settings.apiKey !== undefined && !/^[\x21-\x7e]+$/.test(settings.apiKey)) {
    throw new OptionError("apiKey", "expected ASCII characters without spaces, at least one"); // headers have no others
  }
  for (const origin of settings.cors) checkOrigin(origin);
  for (const host of settings.allowedHosts) checkHost(host);
  return settings;
}

/** setTimeout takes no longer ones: they would be over at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
const MOST: Readonly<Record<string, number>> = {
  receiveTimeout: LONGEST_TIMEOUT,
  timeout: LONGEST_TIMEOUT,
  stallTimeout: LONGEST_TIMEOUT,
};

function checkOrigin(origin: string): void {
  if (origin === "*" || (URL.canParse(origin) && new URL(origin).origin === origin)) return;
  throw new OptionError("cors", `expected origins such as "https://example.com", or "*", got ${showValue(origin)}`);
}

function checkHost(host: string): void {
  if (/^(\[[0-9a-f:.]+\]|[^\s:/]+)$/i.test(host)) return;
  throw new OptionError(
    "allowedHosts",
    `expected names such as "gpt2.example", without a port, got ${showValue(host)}`,
  );
}

/** `models/gpt2/` → `gpt2`; of a model in the Hub's cache its name there. */
function lastPart(model: string): string {
  const [, hub] = /models--([^/\\]+)[/\\]snapshots[/\\][^/\\]+[/\\]?$/.exec(model) ?? [];
  if (hub !== undefined) return hub.replace("--", "/");
  const path = /^(https?|file):/i.test(model) ? new URL(model).pathname : model;
  return path.split(/[/\\]/).findLast((part) => part !== "" && part !== ".") ?? "gpt2";
}
