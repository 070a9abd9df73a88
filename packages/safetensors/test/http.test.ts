import { open, type SafetensorsErrorCode, serialize } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { errorOf } from "./support/error.ts";
import { fileOf, toHex } from "./support/files.ts";
import { answerRange, type Behaviour, serve } from "./support/http-server.ts";

/** Retries come at once. */
const QUICK = { retryDelay: 1 };
const LENGTH = 200_000;
const weight = Uint8Array.from({ length: LENGTH }, (_, i) => i % 251);
const bytes = serialize({
  a: { dtype: "U8", shape: [LENGTH], data: weight },
  b: { dtype: "U8", shape: [LENGTH], data: weight },
});

/** A server that behaves for the first request and then in its own way. */
async function afterOpening(behaviour: Behaviour, replaced: Uint8Array = bytes) {
  const server = await serve((request, response) => {
    const first = server.requests.length === 1;
    answerRange(first ? bytes : replaced, request, response, first ? {} : behaviour);
  });
  return server;
}

describe("over HTTP", () => {
  test("opening takes one request for the beginning, and a tensor one for its bytes", async () => {
    const { url, requests } = await serve((request, response) => answerRange(bytes, request, response));
    await using file = await open(url, { headers: { authorization: "Bearer secret" } });
    expect(requests.map(({ range }) => range)).toEqual(["bytes=0-65535"]);
    const { byteOffset } = file.info("b");
    expect(toHex((await file.read("b")).data)).toBe(toHex(weight));
    expect(requests[1]?.range).toBe(`bytes=${byteOffset}-${byteOffset + LENGTH - 1}`);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer secret", "Bearer secret"]);
  });

  test("what came with the beginning is not asked for again", async () => {
    const { url, requests } = await serve((request, response) => answerRange(bytes, request, response));
    await using file = await open(url, QUICK);
    const target = new Uint8Array(10);
    await file.readInto("a", target, 100);
    expect([...target]).toEqual([...weight.subarray(100, 110)]);
    expect(requests.length).toBe(1);
    await file.read("a");
    expect(requests[1]?.range).toBe(`bytes=65536-${file.info("a").byteOffset + LENGTH - 1}`);
  });

  test("a header longer than the first request is read to its end", async () => {
    const large = serialize(
      { a: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) } },
      { note: "x".repeat(3_000_000) },
    );
    const { url } = await serve((request, response) => answerRange(large, request, response));
    await using file = await open(url, QUICK);
    expect(file.metadata?.["note"]?.length).toBe(3_000_000);
    expect([...(await file.read("a")).data]).toEqual([1, 2, 3]);
  });

  test("an empty file is too short, as elsewhere", async () => {
    const { url } = await serve((request, response) => answerRange(new Uint8Array(0), request, response));
    expect((await errorOf(() => open(url, QUICK))).code).toBe("header-too-small");
  });

  test("a server that ignores ranges is an error that says what to do, and the file is not downloaded", async () => {
    let sent = 0;
    const { url } = await serve((_, response) => {
      response.writeHead(200, { "content-length": 10 ** 12 });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on("drain", more);
      more();
    });
    const error = await errorOf(() => open(`${url}/model.safetensors?token=secret`));
    expect([error.code, error.file]).toEqual(["range-unsupported", `${url}/model.safetensors`]);
    expect(error.message).toMatch(/parse\(\)/);
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  test.each([401, 403, 404, 416, 500])("status %i is an error that names it", async (status) => {
    const { url } = await serve((_, response) => response.writeHead(status).end("no"));
    const error = await errorOf(() => open(url, QUICK));
    expect(error.code).toBe("http-status");
    expect(error.message).toContain(String(status));
  });

  test("a server that cannot be reached is an error", async () => {
    const error = await errorOf(() => open("http://127.0.0.1:1/x"));
    expect([error.code, error.file]).toEqual(["read-failed", "http://127.0.0.1:1/x"]);
  });

  test.each<[string, SafetensorsErrorCode, Behaviour]>([
    ["sends no Content-Range", "invalid-response", { contentRange: () => undefined }],
    ["sends a Content-Range that is none", "invalid-response", { contentRange: () => "bytes 0-1" }],
    ["does not tell the size", "invalid-response", { contentRange: (first, last) => `bytes ${first}-${last}/*` }],
    ["sends a negative size", "invalid-response", { contentRange: (first, last) => `bytes ${first}-${last}/-1` }],
    [
      "sends a size past 2^53",
      "invalid-response",
      { contentRange: (first, last) => `bytes ${first}-${last}/${"9".repeat(20)}` },
    ],
    [
      "sends a size smaller than the range",
      "invalid-response",
      { contentRange: (first, last) => `bytes ${first}-${last}/5` },
    ],
    ["answers another range", "invalid-response", { shift: 1 }],
    ["claims more bytes than it sends", "truncated", { short: 1 }],
    [
      "claims a bigger file",
      "data-not-covered",
      { contentRange: (first, last, size) => `bytes ${first}-${last}/${size + 1}` },
    ],
    ["cuts the connection", "truncated", { cutAfter: 100 }],
    ["cuts the connection at once", "truncated", { cutAfter: 0 }],
  ])("a server that %s is an error when opening", async (_, code, behaviour) => {
    const { url } = await serve((request, response) => answerRange(bytes, request, response, behaviour));
    expect((await errorOf(() => open(url, QUICK))).code).toBe(code);
  });

  test.each<[string, SafetensorsErrorCode, Behaviour, Uint8Array?]>([
    ["cuts the connection", "truncated", { cutAfter: 1000 }],
    ["sends less than it claims", "truncated", { short: 1 }],
    ["answers another range", "invalid-response", { shift: -1 }],
    ["sends no Content-Range", "invalid-response", { contentRange: () => undefined }],
    ["has another version of the file", "source-changed", { etag: '"2"' }],
    ["has a file of another size", "source-changed", {}, new Uint8Array(bytes.byteLength + 1)],
    ["has a shorter file", "http-status", {}, new Uint8Array(10)],
  ])("a server that later %s is an error when reading", async (_, code, behaviour, replaced) => {
    const { url } = await afterOpening(behaviour, replaced);
    await using file = await open(url, QUICK);
    expect((await errorOf(() => file.read("b"))).code).toBe(code);
    expect((await errorOf(() => file.readFloat32Into("b", new Float32Array(LENGTH)))).code).toBe(
      "unsupported-conversion",
    );
  });

  test("a server that claims huge sizes does not make the reader allocate them", async () => {
    const header = `{"a":{"dtype":"U8","shape":[100000000000],"data_offsets":[0,100000000000]}}`;
    const claimed = 8 + 90_000_000 + 100_000_000_000;
    const liar = fileOf(header);
    new DataView(liar.buffer).setBigUint64(0, 90_000_000n, true);
    const { url } = await serve((request, response) => {
      answerRange(liar, request, response, {
        contentRange: (first) => `bytes ${first}-${Number(request.range?.split("-")[1])}/${claimed}`,
      });
    });
    const before = process.memoryUsage().arrayBuffers;
    // The rest of the header is asked for where the file has ended.
    expect((await errorOf(() => open(url, QUICK))).message).toContain("416");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  });

  test("a signal stops a download that hangs, with its reason", async () => {
    let hangs = false;
    const { url } = await serve((request, response) => {
      if (request.range === "bytes=0-65535") return answerRange(bytes, request, response);
      const range = `${request.range?.replace("=", " ")}/${bytes.byteLength}`;
      response.writeHead(206, { etag: '"1"', "content-range": range }).write("x", () => {
        hangs = true;
      });
    });
    const controller = new AbortController();
    const reason = new Error("enough");
    await using file = await open(url, { signal: controller.signal });
    const reading = file.read("b");
    reading.catch(() => {}); // expected below
    await expect.poll(() => hangs).toBe(true);
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });

  test("a fetch of the caller's is used", async () => {
    const urls: string[] = [];
    await using file = await open("http://model.invalid/x", {
      fetch: async (url, init) => {
        urls.push(String(url));
        const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get("range") ?? "") ?? [];
        const end = Math.min(Number(to) + 1, bytes.byteLength);
        const contentRange = `bytes ${from}-${end - 1}/${bytes.byteLength}`;
        return new Response(bytes.slice(Number(from), end), {
          status: 206,
          headers: { "content-range": contentRange },
        });
      },
    });
    expect((await file.read("a")).data).toEqual(weight);
    expect(urls).toEqual(["http://model.invalid/x", "http://model.invalid/x"]);
  });
});
