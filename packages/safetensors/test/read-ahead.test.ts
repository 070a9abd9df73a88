import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { open, openSharded, SafetensorsError, serialize, type TensorInputs } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { errorOf } from "./support/error.ts";
import { answerRange, type Behaviour, type Request, serve } from "./support/http-server.ts";

const MIB = 2 ** 20;
const QUICK = { retryDelay: 1 };

const noise = Uint8Array.from({ length: 3 * MIB + 2000 }, (_, i) => (i * i) % 251);

/** Names as GPT-2's: many small tensors between large ones. */
function someTensors(count: number, bytesOf: (i: number) => number) {
  const tensors: Record<string, { dtype: "U8"; shape: number[]; data: Uint8Array }> = {};
  for (let i = 0; i < count; i++) {
    const data = noise.slice(i * 7, i * 7 + bytesOf(i));
    tensors[`h.${i}`] = { dtype: "U8", shape: [data.length], data };
  }
  return tensors;
}

/** A server with this latency, and how many requests it has had at once. */
async function slowly(latency: number, answer: (request: Request, response: ServerResponse) => void) {
  let now = 0;
  let most = 0;
  const server = await serve((request, response) => {
    most = Math.max(most, ++now);
    response.on("close", () => now--);
    setTimeout(() => answer(request, response), latency);
  });
  return {
    ...server,
    /** Answers under way. */
    get now() {
      return now;
    },
    /** The most requests at once. */
    get most() {
      return most;
    },
  };
}

const lengthOf = ({ range }: Request): number => {
  const [, from, to] = /(\d+)-(\d+)/.exec(range ?? "") ?? [];
  return Number(to) - Number(from) + 1;
};

describe("reads that were announced", () => {
  test("cost few requests, four at a time: 170 tensors, bit for bit", async () => {
    const tensors = someTensors(170, (i) => (i % 2 === 0 ? 3000 : 600_000));
    const bytes = serialize(tensors as TensorInputs);
    const server = await slowly(50, (request, response) => answerRange(bytes, request, response));
    await using file = await open(server.url);
    await file.prefetch(file.names);
    for (const name of file.names)
      expect(Buffer.compare((await file.read(name)).data as Uint8Array, tensors[name]!.data)).toBe(0);
    // 51 MB in blocks of 8 MiB, after the first request; one by one it would be 170 requests.
    expect(server.requests).toHaveLength(1 + 7);
    expect(server.most).toBe(4);
  });

  test("hold at most 64 MiB, however much is announced and not read", async () => {
    // Made as it is asked for: 1 GiB in 64 tensors.
    const shape = [16 * MIB];
    const names = Array.from({ length: 64 }, (_, i) => `w.${String(i).padStart(2, "0")}`);
    const header = JSON.stringify(
      Object.fromEntries(
        names.map((name, i) => [name, { dtype: "U8", shape, data_offsets: [i * shape[0]!, (i + 1) * shape[0]!] }]),
      ),
    );
    const head = new Uint8Array(8 + header.length);
    new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
    head.set(new TextEncoder().encode(header), 8);
    const size = head.length + 64 * shape[0]!;
    let sent = 0;
    const server = await serve((request, response) => {
      const [, from, to] = /(\d+)-(\d+)/.exec(request.range!)!.map(Number) as [number, number, number];
      response.writeHead(206, { "content-range": `bytes ${from}-${to}/${size}`, "content-length": to - from + 1 });
      const body = new Uint8Array(to - from + 1);
      for (let i = from; i < head.length && i <= to; i++) body[i - from] = head[i]!;
      sent += body.length;
      response.end(body);
    });
    await using file = await open(server.url);
    const before = process.memoryUsage().arrayBuffers;
    await file.prefetch(file.names);
    await expect.poll(() => sent).toBeGreaterThan(40 * MIB);
    await new Promise((resolve) => setTimeout(resolve, 500)); // no more comes than is announced
    expect(sent).toBeLessThanOrEqual(64 * MIB);
    const target = new Uint8Array(shape[0]!);
    let most = 0;
    for (const name of file.names.slice(0, 20)) {
      await file.readInto(name, target);
      globalThis.gc?.();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(sent).toBeLessThanOrEqual(20 * shape[0]! + 64 * MIB + 2 * 8 * MIB);
    // The server's own bodies are counted too, and what waits for the garbage collector.
    expect(most).toBeLessThan(400 * MIB);
  });

  test("in another order, twice, in part, or not at all are right all the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 700_000 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(11), { maxLength: 20 }),
        fc.array(fc.tuple(fc.nat(11), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 20 }),
        async (sizes, announced, reads) => {
          const tensors = someTensors(sizes.length, (i) => sizes[i]!);
          const bytes = serialize(tensors as TensorInputs);
          const nameOf = (i: number): string => `h.${i % sizes.length}`;
          await using file = await open("http://model.invalid", { fetch: fetchFrom(bytes) });
          await file.prefetch(announced.map(nameOf));
          for (const [i, part] of reads) {
            const { data } = tensors[nameOf(i)]!;
            const start = Math.floor(part * data.length);
            const target = new Uint8Array(data.length - start);
            await file.readInto(nameOf(i), target, start);
            expect(Buffer.compare(target, data.subarray(start))).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("leave out what was not announced, where it is large", async () => {
    const tensors = someTensors(9, (i) => (i % 2 === 0 ? 100_000 : 2 * MIB));
    const bytes = serialize(tensors as TensorInputs);
    const { url, requests } = await serve((request, response) => answerRange(bytes, request, response));
    await using file = await open(url);
    const small = file.names.filter((name) => file.info(name).byteLength === 100_000);
    await file.prefetch(small);
    for (const name of small) expect((await file.read(name)).data).toEqual(tensors[name]!.data);
    expect(requests.reduce((sum, request) => sum + lengthOf(request), 0)).toBeLessThan(5 * 100_000 + 65_537);
  });

  test("survive connections that break, by asking for the rest", async () => {
    const tensors = someTensors(6, () => 3 * MIB);
    const bytes = serialize(tensors as TensorInputs);
    let broken = 0;
    const { url, requests } = await serve((request, response) => {
      const breaks = requests.length > 1 && lengthOf(request) > 4 * MIB;
      if (breaks) broken++;
      answerRange(bytes, request, response, breaks ? { cutAfter: 5 * MIB } : {});
    });
    await using file = await open(url, QUICK);
    await file.prefetch(file.names);
    for (const name of file.names)
      expect(Buffer.compare((await file.read(name)).data as Uint8Array, tensors[name]!.data)).toBe(0);
    expect(broken).toBeGreaterThan(0);
  });

  test.each<[string, string, Behaviour]>([
    ["is replaced", "source-changed", { etag: '"2"' }],
    ["answers with other bytes", "invalid-response", { shift: -1 }],
    ["cuts every answer", "truncated", { cutAfter: 0 }],
  ])("fail, if the file %s, where they are read and with few requests", async (_, code, behaviour) => {
    const bytes = serialize(someTensors(40, () => MIB) as TensorInputs);
    const { url, requests } = await serve((request, response) =>
      answerRange(bytes, request, response, requests.length === 1 ? {} : behaviour),
    );
    await using file = await open(url, QUICK);
    await file.prefetch(file.names);
    expect((await errorOf(() => file.read(file.names[5]!))).code).toBe(code);
    expect(requests.length).toBeLessThan(1 + 5 * 4);
  });

  test("end with the signal's reason, and closing leaves no request", async () => {
    const bytes = serialize(someTensors(40, () => MIB) as TensorInputs);
    const slow = () =>
      slowly(0, (request, response) => {
        if (lengthOf(request) <= 65_536) return answerRange(bytes, request, response);
        const range = `${request.range?.replace("=", " ")}/${bytes.byteLength}`;
        response.writeHead(206, { etag: '"1"', "content-range": range }).write("x");
      });
    const server = await slow();
    const controller = new AbortController();
    await using file = await open(server.url, { signal: controller.signal });
    await file.prefetch(file.names);
    const reason = new Error("enough");
    const refused = expect(file.read("h.9")).rejects.toBe(reason);
    await expect.poll(() => server.now).toBeGreaterThanOrEqual(4);
    controller.abort(reason);
    await refused;
    await expect.poll(() => server.now).toBe(0);

    const another = await slow();
    const closed = await open(another.url);
    await closed.prefetch(closed.names);
    const reading = closed.read("h.0").catch((error: unknown) => error);
    await expect.poll(() => another.now).toBe(4);
    await closed.close();
    expect(await reading).toMatchObject({ code: "closed" });
    expect(await reading).toBeInstanceOf(SafetensorsError);
    await expect.poll(() => another.now).toBe(0);
    expect(another.requests.length).toBe(5);
  });

  test("of a sharded checkpoint share the four requests and the memory", async () => {
    const shards = [0, 1, 2].map((shard) =>
      Object.fromEntries(
        Object.entries(someTensors(20, () => MIB)).map(([name, tensor]) => [`${shard}.${name}`, tensor]),
      ),
    );
    const weightMap = Object.fromEntries(
      shards.flatMap((tensors, shard) => Object.keys(tensors).map((name) => [name, `${shard}.safetensors`])),
    );
    const files = shards.map((tensors) => serialize(tensors as TensorInputs));
    const server = await slowly(20, (request, response) => {
      if (request.path.endsWith(".json")) response.end(JSON.stringify({ weight_map: weightMap }));
      else answerRange(files[Number(request.path[1])]!, request, response);
    });
    await using model = await openSharded(`${server.url}/model.safetensors.index.json`);
    await model.prefetch(model.names);
    for (const name of model.names) {
      const { data } = shards[Number(name[0])]![name]!;
      expect(Buffer.compare((await model.read(name)).data as Uint8Array, data)).toBe(0);
    }
    expect(server.most).toBe(4);
    expect(server.requests.length).toBe(1 + 3 + 9);
    await expect(model.prefetch(["absent"])).rejects.toMatchObject({ code: "tensor-not-found" });
  });
});

/** A `fetch` that answers ranges of these bytes. */
function fetchFrom(bytes: Uint8Array): typeof fetch {
  return async (_, init) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get("range") ?? "")!.map(Number) as [
      number,
      number,
      number,
    ];
    const end = Math.min(to + 1, bytes.byteLength);
    const headers = { "content-range": `bytes ${from}-${end - 1}/${bytes.byteLength}` };
    return new Response(bytes.slice(from, end), { status: 206, headers });
  };
}
