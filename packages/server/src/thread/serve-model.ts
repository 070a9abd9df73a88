import { GPT2 } from "@gpt2-ts/gpt2";
import { Engine } from "./engine.ts";
import { type Reply, type Request, sentError } from "./protocol.ts";

/** The thread's end of the line to the server. */
export interface Line {
  postMessage(message: Reply): void;
  on(event: "message", listener: (message: Request) => void): unknown;
}

/** Loads the model that it is told of, and carries out what is asked of it. */
export function serveModel(line: Line): void {
  const send = (reply: Reply): void => line.postMessage(reply);
  let engine: Engine | undefined;
  line.on("message", (request) => {
    if (request.type === "load") void load(request);
    else if (request.type === "begin") engine?.begin(request.id, request.work);
    else engine?.cancel(request.id);
  });

  async function load({ where, options, limits }: Request & { type: "load" }): Promise<void> {
    try {
      const onWarning = (text: string): void => send({ type: "warning", text });
      const model = await GPT2.load(where, { ...options, onWarning });
      engine = new Engine(model, limits, send);
      const { config, device } = model;
      send({ type: "loaded", notice: device.notice, config, cacheBytesPerToken: engine.cacheBytesPerToken });
    } catch (error) {
      send({ type: "unloadable", error: sentError(error) });
    }
  }
}
