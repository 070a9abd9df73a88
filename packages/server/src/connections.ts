import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The connections of a server, and which of them are being answered. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #answered = new Map<Socket, Set<ServerResponse>>();

  constructor(server: Server) {
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** A request is being answered from now on: it has arrived whole, or what has arrived is refused. */
  answering(response: ServerResponse): void {
    const { socket } = response;
    if (!socket) return;
    const responses = this.#answered.get(socket) ?? new Set();
    if (responses.has(response)) return;
    this.#answered.set(socket, responses.add(response));
    response.on("close", () => {
      responses.delete(response);
      if (responses.size === 0) this.#answered.delete(socket);
    });
  }

  /** Closes those that nothing is answered over: idle ones, and those that a request still has to come over. */
  closeOthers(): void {
    for (const socket of this.#sockets) if (!this.#answered.has(socket)) socket.destroy();
  }
}
