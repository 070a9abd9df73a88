import { createServer as createTcpServer } from "node:net";
import { open } from "safetensors-ts";
import { displayUrl, send, TransportError, withoutSecrets } from "safetensors-ts/transport";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { exchange as exchangeInPage } from "../src/transport/exchange-browser.ts";
import { proxyHint } from "../src/transport/proxy.ts";
import { Watchdog } from "../src/transport/watchdog.ts";
import { serve } from "./support/http-server.ts";

const failureOf = async (promise: Promise<unknown>): Promise<TransportError> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
};

describe("a request without an answer says why:", () => {
  test("there is no such host", async () => {
    const error = await failureOf(send(new URL("http://no-such-host.invalid/x?secret=1")));
    expect(error.code).toBe("unknown-host");
    expect(error.message).toMatch(/^cannot find the host no-such-host\.invalid \((ENOTFOUND|EAI_AGAIN)\)/);
  });

  test("nobody listens there", async () => {
    const { url, stop } = await tcpServer((socket) => socket.destroy());
    await stop();
    const error = await failureOf(send(new URL(url)));
    expect([error.code, error.isTransient]).toEqual(["refused", false]);
    expect(error.message).toMatch(/^cannot connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
  });

  test("there is no secure connection", async () => {
    const { url } = await serve((_, response) => response.end());
    const plain = await failureOf(send(new URL(url.replace("http:", "https:"))));
    expect(plain.code).toBe("insecure");
    expect(plain.message).toMatch(
      /^no secure connection to 127\.0\.0\.1:\d+ \(ERR_SSL_WRONG_VERSION_NUMBER\).*NODE_EXTRA_CA_CERTS/,
    );
    const cause = Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    const fetch = () => Promise.reject(new TypeError("fetch failed", { cause }));
    expect((await failureOf(send(new URL("https://model.invalid"), { fetch }))).code).toBe("insecure");
  });

  test("the connection is reset", async () => {
    const { url } = await tcpServer((socket) => socket.resetAndDestroy());
    const error = await failureOf(send(new URL(url)));
    expect([error.code, error.isTransient]).toEqual(["broken", true]);
    expect(error.message).toMatch(/^the connection to 127\.0\.0\.1:\d+ broke \((ECONNRESET|UND_ERR_SOCKET)\)/);
  });

  test("nothing arrives, or a trickle", async () => {
    const { url: silent } = await serve(() => {});
    const error = await failureOf(send(new URL(silent), { stallTimeout: 200 }));
    expect([error.code, error.message.includes("nothing arrived for 0.2 s")]).toEqual(["stalled", true]);
    const { url: trickling } = await serve((_, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const answer = await send(new URL(trickling), { stallTimeout: 300 });
    expect((await failureOf(answer.bytes(1000))).message).toMatch(/no more than \d+ bytes arrived for 0\.3 s/);
  });

  test("a page may not read it, whatever fetch tells pages", async () => {
    const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
    const watchdog = new Watchdog("model.invalid", 1000, undefined);
    const error = await failureOf(exchangeInPage(new URL("https://model.invalid/x"), { fetch }, watchdog));
    expect(error.message).toMatch(/^cannot connect to model\.invalid: there is no connection, or .*CORS/);
  });

  test("a reader that is slower than the time-out is not a stall", async () => {
    const { url } = await serve((_, response) => {
      response.write("a");
      response.end("b");
    });
    const answer = await send(new URL(url), { stallTimeout: 100 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(Buffer.from(await answer.bytes(10)).toString()).toBe("ab");
  });
});

describe("what may be secret", () => {
  test("is in no message: user, password, query, fragment", () => {
    expect(displayUrl(new URL("https://user:pass@host:8/a/b?X-Amz-Signature=s#f"))).toBe("https://host:8/a/b");
    expect(withoutSecrets("got 'http://u:p@h/x?y=1#z' and https://h/?q, s3://u@b/c then a?b")).toBe(
      "got 'http://h/x' and https://h/ s3://b/c then a?b",
    );
  });

  test("is in none of the errors of opening a file", async () => {
    const { url } = await serve((_, response) => response.writeHead(403).end());
    const secret = url.replace("http://", "http://user:password@");
    for (const where of [
      `${secret}/x?sig=secret`,
      `http://user:password@127.0.0.1:1/x?sig=secret`,
      "http://user:password@ho st/?sig=secret",
    ]) {
      const error = (await open(where, { retries: 0 }).catch((error: unknown) => error)) as Error;
      for (let at: unknown = error; at instanceof Error; at = at.cause) {
        expect(at.message).not.toMatch(/password|secret/);
      }
    }
  });

  test("goes to the first origin only, whatever the header is called", async () => {
    const other = await serve((_, response) => response.end("there"));
    const server = await serve((request, response) => {
      const to = request.path === "/here" ? "/again" : `${other.url}/there`;
      response.writeHead(302, { location: to }).end();
    });
    const headers = { "x-api-key": "secret", authorization: "Bearer secret" };
    const answer = await send(new URL(`${server.url}/here`), { credentials: headers, headers: { range: "bytes=0-4" } });
    expect(answer.url.href).toBe(`${other.url}/there`);
    expect(server.requests.map(({ headers }) => headers["x-api-key"])).toEqual(["secret", "secret"]);
    const [there] = other.requests;
    expect([there?.headers["x-api-key"], there?.headers.authorization]).toEqual([undefined, undefined]);
    expect(there?.range).toBe("bytes=0-4");
  });

  test("of user and password in the URL becomes a header, as browsers and curl do it", async () => {
    const server = await serve((_, response) => response.end());
    (await send(new URL(server.url.replace("http://", "http://us%3Aer:p%C3%A4ss@")))).close();
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from("us:er:päss").toString("base64")}`);
  });
});

describe("redirects", () => {
  test("without end, or to what is no web address, are errors", async () => {
    const { url, requests } = await serve((_, response) => response.writeHead(302, { location: "/again" }).end());
    expect((await failureOf(send(new URL(url)))).message).toContain("redirects more than 8 times");
    expect(requests).toHaveLength(9);
    for (const location of ["file:///etc/passwd", "javascript:0", "http://:"]) {
      const { url } = await serve((_, response) => response.writeHead(307, { location }).end());
      expect((await failureOf(send(new URL(url)))).message).toContain("not a web address");
    }
  });
});

describe("where a proxy is named and Node does not use it", () => {
  afterEach(() => vi.unstubAllEnvs());
  const hint = (url: string, env: Record<string, string>): string | undefined => {
    for (const name of [
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "NO_PROXY",
      "http_proxy",
      "https_proxy",
      "no_proxy",
      "NODE_USE_ENV_PROXY",
    ]) {
      vi.stubEnv(name, env[name]);
    }
    return proxyHint(new URL(url));
  };
  const PROXY = "http://user:secret@proxy:3128";

  test("the hint says what to set, and not the proxy's address", () => {
    const supported = process.allowedNodeEnvironmentFlags.has("--use-env-proxy");
    const expected = supported
      ? "to use HTTPS_PROXY, set NODE_USE_ENV_PROXY=1"
      : /HTTPS_PROXY is not used by Node .*22\.21, 24\.5/;
    expect(hint("https://hub/x", { HTTPS_PROXY: PROXY })).toMatch(expected);
    expect(hint("https://hub/x", { HTTPS_PROXY: PROXY })).not.toContain("secret");
    expect(hint("http://hub/x", { http_proxy: PROXY })).toContain("http_proxy");
    if (supported)
      expect(hint("https://hub/x", { HTTPS_PROXY: PROXY, NODE_USE_ENV_PROXY: "1" })).toBe("check HTTPS_PROXY");
  });

  test.each([
    ["https://hub/x", { HTTP_PROXY: PROXY }],
    ["https://hub/x", {}],
    ["https://hub/x", { HTTPS_PROXY: PROXY, NO_PROXY: "*" }],
    ["https://a.hub.org/x", { HTTPS_PROXY: PROXY, NO_PROXY: "localhost, hub.org" }],
    ["https://a.hub.org/x", { HTTPS_PROXY: PROXY, no_proxy: ".hub.org" }],
    ["https://hub.org:8443/x", { HTTPS_PROXY: PROXY, NO_PROXY: "hub.org:8443" }],
  ])("for %s with %j there is none", (url, env) => {
    expect(hint(url, env)).toBeUndefined();
  });

  test("a host that only looks like one of NO_PROXY needs it still", () => {
    for (const NO_PROXY of ["ub.org", "hub.org:1", "org.hub"]) {
      expect(hint("https://hub.org/x", { HTTPS_PROXY: PROXY, NO_PROXY })).toBeDefined();
    }
  });
});

/** A server of bare connections on 127.0.0.1. */
async function tcpServer(onConnection: (socket: import("node:net").Socket) => void) {
  const server = createTcpServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => new Promise<unknown>((resolve) => server.close(resolve));
  onTestFinished(async () => void (await stop()));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, stop };
}
