import type { ServerResponse } from "node:http";

/** What waits at most for a client that reads more slowly than a text is made. */
const MOST_WAITING_CHARACTERS = 2 ** 22;

/**
 * Server-sent events. A client that does not take what it is sent is dropped: when nothing could be sent for `stallTimeout` ms, or
 * too much waits for it.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #stallTimeout: number;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #blocked: NodeJS.Timeout | undefined;
  #ending = false;

  constructor(response: ServerResponse, stallTimeout: number) {
    this.#response = response;
    this.#stallTimeout = stallTimeout;
    response.on("drain", () => this.#drained());
    response.on("close", () => clearTimeout(this.#blocked));
  }

  send(data: object | "[DONE]"): void {
    const text = `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
    if (!this.#blocked) {
      this.#write(text);
      return;
    }
    this.#waiting.push(text);
    this.#waitingCharacters += text.length;
    if (this.#waitingCharacters > MOST_WAITING_CHARACTERS) this.#response.destroy();
  }

  /** Nothing more will be sent. */
  end(): void {
    this.#ending = true;
    if (!this.#blocked) this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.write(text)) return;
    this.#blocked = setTimeout(() => this.#response.destroy(), this.#stallTimeout);
  }

  #drained(): void {
    clearTimeout(this.#blocked);
    this.#blocked = undefined;
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#waitingCharacters = 0;
    if (text !== "") this.#write(text);
    if (this.#ending && !this.#blocked) this.#response.end();
  }
}
