import { execFileSync } from "node:child_process";
import { open as openHandle, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type Dtype, open, parse, type SafeTensors, type Source, serialize, type TensorInput } from "safetensors-ts";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { watchAllocations } from "./support/allocations.ts";
import { errorOf } from "./support/error.ts";
import { temporaryFolder, toHex } from "./support/files.ts";
import { answerRange, serve } from "./support/http-server.ts";

/** A file whose big tensors span several reads of every source. */
const BIG = 5 * 2 ** 20 + 3;
const tensors: Record<string, TensorInput> = {
  big: { dtype: "F32", shape: [BIG], data: Float32Array.from({ length: BIG }, (_, i) => i) },
  half: { dtype: "BF16", shape: [3, 2 ** 20 + 1], data: Uint16Array.from({ length: 3 * (2 ** 20 + 1) }, (_, i) => i) },
  bytes: { dtype: "U8", shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) },
  long: { dtype: "I64", shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) },
  scalar: { dtype: "F64", shape: [], data: Float64Array.of(Math.PI) },
  none: { dtype: "F16", shape: [0, 7], data: new Uint16Array(0) },
};
const bytes = serialize(tensors, { format: "pt" });

const sources: readonly (readonly [string, () => Promise<Source>])[] = [
  ["an ArrayBuffer", async () => bytes.buffer],
  ["a typed array at an odd offset", async () => oddly(bytes)],
  ["shared memory", async () => shared(bytes)],
  ["a Blob", async () => new Blob([bytes])],
  ["a File", async () => new File([bytes], "model.safetensors")],
  ["a path", onDisk],
  ["a file URL", async () => pathToFileURL(await onDisk())],
  ["a file URL as text", async () => pathToFileURL(await onDisk()).href],
  ["a FileHandle", async () => handleOf(await onDisk())],
  ["an http URL", async () => new URL(await served())],
  ["an http URL as text", served],
];

function oddly(data: Uint8Array): Uint8Array {
  const copy = new Uint8Array(data.byteLength + 3);
  copy.set(data, 3);
  return copy.subarray(3);
}

function shared(data: Uint8Array): SharedArrayBuffer {
  const copy = new Uint8Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy.buffer;
}

async function onDisk(): Promise<string> {
  const path = join(await temporaryFolder(), "model.safetensors");
  await writeFile(path, bytes);
  return path;
}

async function handleOf(path: string) {
  const handle = await openHandle(path);
  onTestFinished(() => handle.close());
  return handle;
}

async function served(): Promise<string> {
  const { url } = await serve((request, response) => answerRange(bytes, request, response));
  return `${url}/model.safetensors`;
}

describe.each(sources)("from %s", (_, makeSource) => {
  let file: SafeTensors;

  async function opened(): Promise<SafeTensors> {
    file = await open(await makeSource());
    onTestFinished(() => file.close());
    return file;
  }

  test("the header tells names, metadata, dtypes and shapes", async () => {
    await opened();
    expect(file.names.toSorted()).toEqual(Object.keys(tensors).toSorted());
    expect(file.metadata).toEqual({ format: "pt" });
    expect(file.has("half") && !file.has("toString")).toBe(true);
    expect(file.info("half")).toMatchObject({
      name: "half",
      dtype: "BF16",
      shape: [3, 2 ** 20 + 1],
      size: 3 * (2 ** 20 + 1),
      byteLength: 6 * (2 ** 20 + 1),
    });
  });

  test("every tensor is read whole", async () => {
    await opened();
    for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
      const read = await file.read(name);
      expect([read.dtype, read.shape]).toEqual([dtype, shape]);
      expect(read.data.constructor).toBe(data.constructor);
      expect(Buffer.compare(asBuffer(read.data), asBuffer(data as ArrayBufferView)), name).toBe(0);
    }
  });

  test("tensors are read and converted straight into WebAssembly memory, whole or in part", async () => {
    await opened();
    const memory = new WebAssembly.Memory({ initial: 1000, maximum: 1000, shared: true });
    const big = new Float32Array(memory.buffer, 4, BIG);
    await file.readFloat32Into("big", big);
    expect(big.every((value, i) => value === i)).toBe(true);

    const half = new Float32Array(memory.buffer, 12, 2 ** 20 + 1);
    await file.readFloat32Into("half", half, 2 ** 20 + 1);
    const bits = new Uint32Array(memory.buffer, 12, 2 ** 20 + 1);
    expect(bits.every((pattern, i) => pattern === ((i + 2 ** 20 + 1) & 0xffff) * 2 ** 16)).toBe(true);

    const part = new Uint8Array(memory.buffer, 1, 3);
    await file.readInto("bytes", part, 1);
    expect([...part]).toEqual([2, 3, 4]);
    await file.readInto("none", new Uint8Array(0));
  });

  test("many reads at once do not mix", async () => {
    await opened();
    const reads = Array.from({ length: 20 }, (_, i) => ["bytes", "long", "scalar", "half"][i % 4]!);
    const read = await Promise.all(reads.map((name) => file.read(name)));
    read.forEach(({ data }, i) => {
      expect(Buffer.compare(asBuffer(data), asBuffer(tensors[reads[i]!]!.data as ArrayBufferView))).toBe(0);
    });
  });

  test("reading after close is an error", async () => {
    await opened();
    await file.close();
    await file.close();
    expect((await errorOf(() => file.read("bytes"))).code).toBe("closed");
  });
});

function asBuffer({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

describe("reading", () => {
  const file = parse(bytes);

  test("an unknown tensor is an error that names it", async () => {
    const error = await errorOf(() => file.info("wte"));
    expect([error.code, error.message]).toEqual(["tensor-not-found", 'there is no tensor "wte"']);
    expect((await errorOf(() => file.read("__proto__"))).code).toBe("tensor-not-found");
  });

  test.each([
    ["too short", 4, undefined],
    ["too long", 6, undefined],
    ["past the end", 3, 3],
    ["from before the beginning", 1, -1],
    ["from a fraction", 1, 0.5],
  ])("a target that is %s is an error", async (_, length, start) => {
    const error = await errorOf(() => file.readInto("bytes", new Uint8Array(length), start));
    expect([error.code, error.tensor]).toEqual(["invalid-target", "bytes"]);
    expect((await errorOf(() => file.readFloat32Into("scalar", new Float32Array(2)))).code).toBe("invalid-target");
  });

  test("a target that was detached while waiting is an error", async () => {
    await using onFile = await open(await onDisk());
    const target = new Uint8Array(4 * BIG);
    const reading = errorOf(() => onFile.readInto("big", target));
    structuredClone(target.buffer, { transfer: [target.buffer] });
    expect((await reading).code).toBe("invalid-target");
  });

  test.each([
    ["a path", onDisk],
    ["an http URL", served],
  ])("big tensors from %s into memory of the caller's takes at most 2 MiB besides", async (_, makeSource) => {
    const source = await makeSource();
    const targets = [new Float32Array(BIG), new Float32Array(3 * (2 ** 20 + 1)), new Float32Array(3 * (2 ** 20 + 1))];
    const watch = watchAllocations();
    try {
      await using onFile = await open(source);
      await onFile.readFloat32Into("big", targets[0]!);
      await onFile.readFloat32Into("half", targets[1]!);
      await onFile.readFloat32Into("half", targets[2]!);
    } finally {
      watch.stop();
    }
    expect(watch.seen.bytes).toBeGreaterThan(0);
    expect(watch.seen.bytes).toBeLessThan(2 * 2 ** 20);
  });

  test("unaligned data is read right, of every width", async () => {
    const header = (dtype: Dtype, length: number) =>
      `{"pad":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"${dtype}","shape":[2],"data_offsets":[1,${1 + length}]}} `;
    for (const data of [
      Uint16Array.of(1, 2),
      Float32Array.of(1, 2),
      Float64Array.of(1, 2),
      BigUint64Array.of(1n, 2n),
    ]) {
      const dtype = ({ 2: "U16", 4: "F32", 8: data instanceof Float64Array ? "F64" : "U64" } as const)[
        data.BYTES_PER_ELEMENT
      ];
      const head = new TextEncoder().encode(header(dtype!, data.byteLength));
      const whole = Buffer.concat([
        new Uint8Array(BigUint64Array.of(BigInt(head.length)).buffer),
        head,
        Uint8Array.of(7),
        asBuffer(data),
      ]);
      expect((await parse(whole).read("x")).data).toEqual(data);
    }
  });
});

describe("a bad source", () => {
  test("a missing file, a folder and something else are errors that name the file", async () => {
    const folder = await temporaryFolder();
    const missing = join(folder, "missing.safetensors");
    const error = await errorOf(() => open(missing));
    expect([error.code, error.file]).toEqual(["read-failed", missing]);
    expect(error.cause).toMatchObject({ code: "ENOENT" });
    expect((await errorOf(() => open(folder))).code).toBe("invalid-source");
    expect((await errorOf(() => open(7 as unknown as string))).code).toBe("invalid-source");
    expect((await errorOf(() => open("ftp://127.0.0.1/x"))).code).toBe("read-failed");
    for (const source of [
      new URL("ftp://127.0.0.1/x"),
      "http://",
      "https://[::x]/",
      "file://host%00/x",
      "FILE:///%2f",
    ]) {
      expect((await errorOf(() => open(source))).code).toBe("invalid-source");
    }
  });

  test("a file that is cut off after it was opened is an error", async () => {
    const path = await onDisk();
    await using file = await open(path);
    await truncate(path, bytes.byteLength - 100_000);
    expect((await errorOf(() => file.read("bytes"))).code).toBe("truncated");
  });

  test("that is overwritten in place while it is read fails, instead of mixing two files", async () => {
    const path = await onDisk();
    const file = await open(path);
    onTestFinished(() => file.close());
    expect((await file.read("bytes")).data).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
    await setTimeout(20); // clocks of file systems tick every few milliseconds
    await writeFile(path, bytes, { flag: "r+" });
    expect(await errorOf(() => file.read("long"))).toMatchObject({ code: "source-changed", file: path });
  });

  test.skipIf(process.platform === "win32")("that is a named pipe fails, instead of waiting for a writer", async () => {
    const path = join(await temporaryFolder(), "pipe");
    execFileSync("mkfifo", [path]);
    expect(await errorOf(() => open(path))).toMatchObject({ code: "invalid-source", file: path });
  });

  test("an invalid file is an error that names it, and its handle is closed", async () => {
    const path = join(await temporaryFolder(), "model.safetensors");
    await writeFile(path, bytes.subarray(0, 1000));
    const error = await errorOf(() => open(path));
    expect([error.code, error.file]).toEqual(["data-not-covered", path]);
    expect(error.message).toMatch(`${path}: `);
  });

  test("an aborted signal stops opening and reading with its reason", async () => {
    const reason = new Error("enough");
    await expect(open(await onDisk(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    await using file = await open(await onDisk(), { signal: controller.signal });
    const reading = file.read("big");
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});

describe("the fixtures of these tests", () => {
  beforeAll(() => expect(bytes.byteLength).toBeGreaterThan(25 * 2 ** 20));
  test("round trip", async () => {
    expect(toHex((await parse(bytes).read("bytes")).data)).toBe("0102030405");
  });
});
