import { MessageChannel } from "node:worker_threads";
import { serve } from "../../src/worker/serve.ts";
import { portOf, type WorkerLike } from "../../src/worker/thread-port.ts";

/** A thread that runs the sources in this thread: messages are cloned as between threads, and can be counted. */
export interface InProcess extends WorkerLike {
  /** What it has sent. */
  readonly sent: { readonly type: string; readonly id: number }[];
  /** What it was sent. */
  readonly received: { readonly type: string; readonly id: number }[];
}

export function inProcess(): InProcess {
  const { port1, port2 } = new MessageChannel();
  const sent: InProcess["sent"] = [];
  const received: InProcess["received"] = [];
  const port = portOf(port2);
  serve({
    send(message, transfer) {
      sent.push(message as InProcess["sent"][number]);
      port.send(message, transfer);
    },
    listen: (onMessage) =>
      port.listen((message) => {
        received.push(message as InProcess["received"][number]);
        onMessage(message);
      }),
  });
  return Object.assign(port1, { sent, received, terminate: () => port1.close() });
}
