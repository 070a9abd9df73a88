import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { showValue } from "@gpt2-ts/tensor/options";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";
import type { Settings } from "./options.ts";

/** Who may ask. */
export class Guard {
  readonly #settings: Settings;
  readonly #keyDigest: Buffer | undefined;
  #hosts = new Set<string>();
  /** Addresses in numbers are nobody's name: no other site can point one here. */
  #takesAddresses = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#keyDigest = settings.apiKey === undefined ? undefined : digest(settings.apiKey);
    this.listensAt("127.0.0.1");
  }

  /** Tells where the server can be reached. */
  listensAt(host: string): void {
    const names = ["localhost", "127.0.0.1", "[::1]"];
    this.#takesAddresses = !isLoopback(host);
    if (this.#takesAddresses) names.push(hostname());
    this.#hosts = new Set([...names, host, ...this.#settings.allowedHosts].map((name) => name.toLowerCase()));
  }

  /** Throws an {@link ApiError} for who may not. Answers what browsers ask beforehand. */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    this.#checkHost(request.headers.host);
    const preflight = this.#checkOrigin(request, reply);
    if (preflight) return void (await reply.code(204).send());
    if (request.routeOptions.url !== "/health") this.#checkKey(request.headers.authorization);
  }

  /** A page can have its own name point to this machine, and is then free to ask: but only under that name. */
  #checkHost(header: string | undefined): void {
    const host = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/
      .exec(header ?? "")?.[1]
      ?.replace(/\.$/, "")
      .toLowerCase();
    if (host !== undefined && this.#hosts.has(host)) return;
    if (host !== undefined && this.#takesAddresses && isIP(host.replace(/^\[|\]$/g, "")) !== 0) return;
    throw forbidden(
      `this server is not called ${showValue(header ?? "")}; "gpt2 serve --allow-host NAME" adds a name`,
      "host_not_allowed",
    );
  }

  /** Returns whether the request only asks what a page may do. */
  #checkOrigin({ headers, method }: FastifyRequest, reply: FastifyReply): boolean {
    const { origin } = headers;
    if (origin === undefined) return false;
    const { cors } = this.#settings;
    if (!cors.includes("*") && !cors.includes(origin)) {
      throw forbidden(
        `pages of ${showValue(origin)} may not use this server; "gpt2 serve --cors ORIGIN" allows it`,
        "origin_not_allowed",
      );
    }
    reply.header("access-control-allow-origin", cors.includes("*") ? "*" : origin).header("vary", "Origin");
    reply.header("access-control-expose-headers", "retry-after, x-request-id");
    const asked = headers["access-control-request-method"];
    if (method !== "OPTIONS" || asked === undefined) return false;
    reply.header("access-control-allow-methods", "GET, POST").header("access-control-max-age", "600");
    const wanted = headers["access-control-request-headers"];
    if (wanted !== undefined) reply.header("access-control-allow-headers", wanted);
    // A page of the public network that asks a server of a private one.
    if (headers["access-control-request-private-network"] === "true") {
      reply.header("access-control-allow-private-network", "true");
    }
    return true;
  }

  #checkKey(header: string | undefined): void {
    if (this.#keyDigest === undefined) return;
    const [, given] = /^Bearer +(\S+) *$/i.exec(header ?? "") ?? [];
    // Digests have one length, and tell nothing of how much of a key is right.
    if (given !== undefined && timingSafeEqual(digest(given), this.#keyDigest)) return;
    const message = given === undefined ? 'expected a key: "Authorization: Bearer …"' : "the key is not right";
    throw new ApiError(message, { status: 401, type: "authentication_error", code: "invalid_api_key" });
  }
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function forbidden(message: string, code: string): ApiError {
  return new ApiError(message, { status: 403, type: "permission_error", code });
}
