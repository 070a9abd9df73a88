// GPT-2 by OpenAI's completions interface, over HTTP.

export { LOG_LEVELS, type LogLevel, type ServerOptions } from "./options.ts";
export { createServer, type ListenOptions, type Server } from "./server.ts";
export type { ThreadLoadOptions } from "./thread/protocol.ts";
