import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSharded, type SafetensorsErrorCode, serialize, type TensorReader } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { errorOf } from "./support/error.ts";
import { temporaryFolder } from "./support/files.ts";
import { answerRange, serve } from "./support/http-server.ts";

const INDEX = "model.safetensors.index.json";
const FIRST = "model-00001-of-00002.safetensors";
const SECOND = "model-00002-of-00002.safetensors";

function shard(values: Readonly<Record<string, number>>): Uint8Array {
  const inputs = Object.entries(values).map(
    ([name, value]) => [name, { dtype: "F32" as const, shape: [1], data: Float32Array.of(value) }] as const,
  );
  return serialize(new Map(inputs));
}

const files: Readonly<Record<string, Uint8Array>> = {
  [FIRST]: shard({ a: 1, __proto: 2 }),
  [SECOND]: shard({ b: 3 }),
};
const weightMap = { b: SECOND, a: FIRST, __proto: FIRST };
const indexJson = JSON.stringify({ metadata: { total_size: 12 }, weight_map: weightMap });

async function folderWith(index: string, shards = files): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, INDEX), index);
  for (const [name, bytes] of Object.entries(shards)) await writeFile(join(folder, name), bytes);
  return join(folder, INDEX);
}

async function value(reader: TensorReader, name: string): Promise<number | undefined> {
  return (await reader.readFloat32(name))[0];
}

describe("a sharded checkpoint", () => {
  test("reads as one, from a folder", async () => {
    await using model = await openSharded(await folderWith(indexJson));
    expect(model.names).toEqual(["b", "a", "__proto"]);
    expect(model.has("a") && !model.has("c")).toBe(true);
    expect(await Promise.all(["a", "__proto", "b"].map((name) => value(model, name)))).toEqual([1, 2, 3]);
    expect(await model.info("b")).toMatchObject({ dtype: "F32", shape: [1] });
    expect((await model.read("a")).data).toEqual(Float32Array.of(1));
    const bytes = new Uint8Array(4);
    await model.readInto("b", bytes);
    const floats = new Float32Array(1);
    await model.readFloat32Into("b", floats);
    expect([floats[0], new Float32Array(bytes.buffer)[0]]).toEqual([3, 3]);
  });

  test("opens only the shards that are asked for, each once", async () => {
    const { url, requests } = await serve((request, response) => {
      const name = new URL(request.path, "http://x").pathname.slice(1);
      if (name === INDEX) response.end(indexJson);
      else answerRange(files[name]!, request, response);
    });
    await using model = await openSharded(`${url}/${INDEX}?token=1`);
    expect(await Promise.all([value(model, "a"), value(model, "__proto"), value(model, "a")])).toEqual([1, 2, 1]);
    expect(requests.map(({ path }) => path)).toEqual([`/${INDEX}?token=1`, `/${FIRST}?token=1`]);
  });

  test("reads from memory, given a way to find the shards", async () => {
    const index = new TextEncoder().encode(indexJson);
    await using model = await openSharded(index, { shard: (name) => new Blob([files[name]!.slice()]) });
    expect(await value(model, "b")).toBe(3);
    expect((await errorOf(() => openSharded(index))).code).toBe("invalid-source");
  });

  test("cannot be read after it was closed", async () => {
    const model = await openSharded(await folderWith(indexJson));
    await value(model, "a");
    await model.close();
    expect((await errorOf(() => model.read("a"))).code).toBe("closed");
  });

  test("with a missing shard opens, and fails for its tensors, until the shard is there", async () => {
    const path = await folderWith(indexJson);
    const missing = join(path, "..", SECOND);
    await rm(missing);
    await using model = await openSharded(path);
    expect(await value(model, "a")).toBe(1);
    const error = await errorOf(() => model.read("b"));
    expect([error.code, error.file]).toEqual(["missing-shard", path]);
    expect(error.message).toContain(SECOND);
    await writeFile(missing, files[SECOND]!);
    expect(await value(model, "b")).toBe(3);
  });

  test("whose shard the server lacks fails as missing", async () => {
    const { url } = await serve((request, response) => {
      if (request.path === `/${INDEX}`) response.end(indexJson);
      else response.writeHead(404).end();
    });
    await using model = await openSharded(`${url}/${INDEX}`);
    expect((await errorOf(() => model.read("b"))).code).toBe("missing-shard");
  });

  test("whose shard lacks a tensor is an error that names it", async () => {
    await using model = await openSharded(await folderWith(indexJson, { ...files, [FIRST]: shard({ a: 1 }) }));
    const error = await errorOf(() => model.read("a"));
    expect([error.code, error.tensor]).toEqual(["missing-from-shard", "__proto"]);
  });

  test("with a tensor in two shards is an error that names it", async () => {
    await using model = await openSharded(await folderWith(indexJson, { ...files, [SECOND]: shard({ a: 5, b: 3 }) }));
    const error = await errorOf(() => model.read("b"));
    expect([error.code, error.tensor]).toEqual(["duplicate-tensor", "a"]);
  });

  test("with a broken shard is the shard's own error, and no file stays open", async () => {
    const path = await folderWith(indexJson, { ...files, [FIRST]: Uint8Array.of(1) });
    const model = await openSharded(path);
    const before = (await readdir("/proc/self/fd").catch(() => [])).length;
    const error = await errorOf(() => model.read("a"));
    expect([error.code, error.file]).toEqual(["header-too-small", join(path, "..", FIRST)]);
    expect((await readdir("/proc/self/fd").catch(() => [])).length).toBe(before);
  });

  test("has no tensor that its index does not list", async () => {
    await using model = await openSharded(await folderWith(indexJson));
    expect((await errorOf(() => model.info("toString"))).code).toBe("tensor-not-found");
  });
});

describe("an index", () => {
  test.each<[string, SafetensorsErrorCode, string]>([
    ["that is no JSON", "invalid-index", "{"],
    ["that is an array", "invalid-index", "[]"],
    ["without a weight_map", "invalid-index", "{}"],
    ["with a weight_map that is no object", "invalid-index", '{"weight_map":[]}'],
    ["with a shard that is no text", "invalid-index", '{"weight_map":{"a":1}}'],
    ["that lists a tensor twice", "duplicate-key", '{"weight_map":{"a":"x","\\u0061":"y"}}'],
    ["with two weight_maps", "duplicate-key", '{"weight_map":{},"weight_map":{}}'],
    ["with text after it", "invalid-index", '{"weight_map":{}} x'],
    ...["../x", "/etc/passwd", "a/b", "a\\\\b", "http://x", "C:x", "..", ".", "", "x?y", "x#y", "%2e%2e"].map(
      (name): [string, SafetensorsErrorCode, string] => [
        `that leads out of its folder by ${JSON.stringify(name)}`,
        "invalid-index",
        `{"weight_map":{"a":"${name}"}}`,
      ],
    ),
  ])("%s is an error that names the file", async (_, code, text) => {
    const path = await folderWith(text);
    const error = await errorOf(() => openSharded(path));
    expect([error.code, error.file]).toEqual([code, path]);
  });

  test("that is not UTF-8, or is not there, is an error", async () => {
    expect((await errorOf(() => openSharded(Uint8Array.of(0x7b, 0xff)))).code).toBe("invalid-index");
    expect((await errorOf(() => openSharded("/nowhere/index.json"))).code).toBe("read-failed");
    const { url } = await serve((_, response) => response.writeHead(404).end());
    expect((await errorOf(() => openSharded(url))).code).toBe("http-status");
  });

  test("that lists __proto__ is read like any other", async () => {
    const index = new TextEncoder().encode(`{"weight_map":{"__proto__":"x"}}`);
    const proto = serialize(new Map([["__proto__", { dtype: "F32", shape: [], data: Float32Array.of(7) }]]));
    await using model = await openSharded(index, { shard: () => proto });
    expect(await value(model, "__proto__")).toBe(7);
  });
});
