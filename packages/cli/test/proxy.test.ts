import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { modelFiles, useHub } from "../../gpt2/test/hub/hub-fixture.ts";
import { gpt2 } from "./support/cli.ts";

const hub = useHub();
const canAtStart = process.allowedNodeEnvironmentFlags.has("--use-env-proxy");
const canLater = "setGlobalProxyFromEnv" in (await import("node:http"));
/** A hub that only the proxy can find. */
const ENDPOINT = "http://hub.invalid";

/** A proxy that takes every host for the test's hub, tunnels (CONNECT) and whole URLs alike; and what it was asked for. */
async function startProxy() {
  const asked: string[] = [];
  const target = () => Number(new URL(hub.server.url).port);
  const proxy = createServer((request, response) => {
    asked.push(request.url!);
    const { pathname, search } = new URL(request.url!);
    const { method, headers } = request;
    const path = pathname + search;
    const onward = httpRequest({ port: target(), host: "127.0.0.1", method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  proxy.on("connect", (request, socket, head) => {
    asked.push(request.url!);
    const onward = connect(target(), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) end.on("error", () => {});
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

const download = (env: Record<string, string>) =>
  gpt2(["download", "org/name"], { env: { HF_ENDPOINT: ENDPOINT, NO_PROXY: "", no_proxy: "", ...env } });

describe("behind a proxy", () => {
  // Small files only: large ones are redirected to the test's CDN, which has an address of its own.
  const publish = () => {
    hub.server.lfsFrom = 2 ** 30;
    hub.server.commit("org/name", modelFiles());
  };

  it.skipIf(!canAtStart)(
    "a download goes through it with NODE_USE_ENV_PROXY=1 (Node 22.21, 24.5 and later)",
    async () => {
      publish();
      const { url, asked } = await startProxy();
      expect(await download({ HTTP_PROXY: url, NODE_USE_ENV_PROXY: "1" })).toMatchObject({ status: 0 });
      expect(asked.length).toBeGreaterThan(0);
      expect(asked.every((where) => where.includes("hub.invalid"))).toBe(true);
    },
  );

  it.skipIf(!canLater)(
    "a download goes through it by itself where Node lets a program ask for that (24.14 and later)",
    async () => {
      publish();
      const { url, asked } = await startProxy();
      expect(await download({ http_proxy: url })).toMatchObject({ status: 0 });
      expect(asked.length).toBeGreaterThan(0);
    },
  );

  it.skipIf(canLater)("a download that cannot use it says what to set", async () => {
    publish();
    const { url, asked } = await startProxy();
    const { status, stderr } = await download({ HTTP_PROXY: url });
    expect(status).toBe(1);
    expect(stderr).toContain("cannot find the host hub.invalid");
    expect(stderr).toMatch(
      canAtStart ? /to use HTTP_PROXY, set NODE_USE_ENV_PROXY=1/ : /run it with Node 22\.21, 24\.5 or later/,
    );
    expect(asked).toEqual([]);
  });

  it.skipIf(!canLater)("a proxy that is not there is named as what to check", async () => {
    const { status, stderr } = await download({ HTTP_PROXY: "http://user:secret@127.0.0.1:1" });
    expect(status).toBe(1);
    expect(stderr).toContain("check HTTP_PROXY");
    expect(stderr).not.toContain("secret");
  });
});
