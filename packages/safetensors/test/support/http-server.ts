import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";

export interface Request {
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: IncomingMessage["headers"];
}

/** A server on 127.0.0.1 until the end of the test, and the requests that it has got. */
export async function serve(answer: (request: Request, response: ServerResponse) => void) {
  const requests: Request[] = [];
  const server = createServer((incoming, response) => {
    const { headers, url = "/" } = incoming;
    const request = { path: url, range: headers.range, headers };
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { url: `http://127.0.0.1:${address.port}`, requests };
}

/** What a server may do wrong in answering a range request. */
export interface Behaviour {
  /** In place of the true Content-Range. */
  readonly contentRange?: (first: number, last: number, size: number) => string | undefined;
  readonly etag?: string;
  /** Bytes of the body to send before the connection is cut. */
  readonly cutAfter?: number;
  /** Sends other bytes than were asked for: the body starts this much later. */
  readonly shift?: number;
  /** Ends the body properly, but this many bytes early. */
  readonly short?: number;
}

/** Answers as RFC 9110 asks, but for the behaviour. */
export function answerRange(
  bytes: Uint8Array,
  { range }: Request,
  response: ServerResponse,
  behaviour: Behaviour = {},
) {
  const { etag = '"1"', cutAfter, shift = 0, short = 0, contentRange } = behaviour;
  const size = bytes.byteLength;
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (from === undefined || to === undefined) {
    response.writeHead(400).end();
    return;
  }
  const first = Number(from) + shift;
  const last = Math.min(Number(to) + shift, size - 1);
  if (first >= size) {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  const header = contentRange === undefined ? `bytes ${first}-${last}/${size}` : contentRange(first, last, size);
  response.writeHead(206, { etag, ...(header === undefined ? {} : { "content-range": header }) });
  const body = bytes.subarray(first, last + 1 - short);
  if (cutAfter === undefined) {
    response.end(body);
  } else {
    response.write(body.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
  }
}
