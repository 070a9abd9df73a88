import { readdirSync, readFileSync } from "node:fs";
import { open, openSharded, parse, serialize, writeFile } from "safetensors-ts";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { errorOf } from "./support/error.ts";
import { answerRange, serve } from "./support/http-server.ts";

const bytes = serialize({ a: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) } });
const index = JSON.stringify({ weight_map: { a: "model.safetensors" } });

describe("in a browser, where Node's modules are missing", () => {
  beforeEach(() => {
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  async function page() {
    const { url, requests } = await serve((request, response) => {
      if (request.path.endsWith(".json")) response.end(index);
      else answerRange(bytes, request, response);
    });
    vi.stubGlobal("location", { href: `${url}/app/page.html` });
    return requests;
  }

  test("strings are URLs relative to the page", async () => {
    const requests = await page();
    await using file = await open("../models/model.safetensors");
    expect([...(await file.readFloat32("a"))]).toEqual([1, 2]);
    expect(requests[0]?.path).toBe("/models/model.safetensors");
  });

  test("shards are found beside their index", async () => {
    const requests = await page();
    await using model = await openSharded("model.safetensors.index.json");
    expect([...(await model.readFloat32("a"))]).toEqual([1, 2]);
    expect(requests.map(({ path }) => path)).toEqual(["/app/model.safetensors.index.json", "/app/model.safetensors"]);
  });

  test("files that the user chose and bytes in memory are read", async () => {
    await using file = await open(new File([bytes], "chosen.safetensors"));
    expect([...(await file.readFloat32("a"))]).toEqual([1, 2]);
    expect([...(await parse(bytes).readFloat32("a"))]).toEqual([1, 2]);
  });

  test("writing a file and opening a file URL are errors that say why", async () => {
    expect((await errorOf(() => writeFile("x", {}))).message).toMatch(/in Node; use serialize/);
    expect((await errorOf(() => open(new URL("file:///x")))).code).toBe("invalid-source");
  });

  test("without SharedArrayBuffer, bytes are still recognised", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect((await open(bytes.buffer)).names).toEqual(["a"]);
    expect((await errorOf(() => open({} as unknown as Blob))).code).toBe("invalid-source");
  });
});

test("no source file imports a Node module, so bundlers for browsers have nothing to resolve", () => {
  const folder = new URL("../src/", import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  expect(names).toContain("open.ts");
  for (const name of names) {
    expect(readFileSync(new URL(name, folder), "utf8"), name).not.toMatch(/(from|^import) "(?![.#])|await import\(/m);
  }
});
