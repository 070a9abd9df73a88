/** HTTP as no client writes it: bytes on a socket. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ServerProcess, until } from "./server.ts";

/** A connection whose answers are kept as they come. */
export class Connection {
  readonly socket: Socket;
  received = "";
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (data: string) => {
      this.received += data;
    });
    socket.on("error", () => {}); // a reset is an end like any other
    socket.on("close", () => {
      this.closed = true;
    });
  }

  static async open(server: ServerProcess): Promise<Connection> {
    const socket = connect(server.port, "127.0.0.1");
    const connection = new Connection(socket);
    await once(socket, "connect");
    return connection;
  }

  write(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Waits until what came matches. */
  async until(pattern: RegExp): Promise<string> {
    const came = (): boolean => pattern.test(this.received);
    await until(() => came() || this.closed);
    if (!came()) throw new Error(`closed after ${JSON.stringify(this.received)}`);
    return this.received;
  }

  async untilClosed(): Promise<string> {
    await until(() => this.closed);
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A request for a completion, as bytes. */
export function completionRequest(server: ServerProcess, body: object, headers: readonly string[] = []): string {
  const json = JSON.stringify(body);
  const lines = [
    "POST /v1/completions HTTP/1.1",
    `Host: 127.0.0.1:${server.port}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(json)}`,
    ...headers,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${json}`;
}

/** The statuses of the answers that came, one behind the other. */
export function statuses(received: string): number[] {
  return Array.from(received.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}
