import { mkdir, readdir, readFile, writeFile as writeText } from "node:fs/promises";
import { join } from "node:path";
import { serialize, type TensorInput, writeFile } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { errorOf } from "./support/error.ts";
import { temporaryFolder } from "./support/files.ts";

const tensors = {
  b: { dtype: "F32", shape: [5_000_000], data: new Float32Array(5_000_000).fill(1.5) },
  a: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) },
  empty: { dtype: "I64", shape: [0], data: new BigInt64Array(0) },
} satisfies Record<string, TensorInput>;

describe("writeFile", () => {
  test("writes the bytes of serialize and leaves nothing else", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "model.safetensors");
    await writeFile(path, tensors, { format: "pt" });
    expect(Buffer.compare(await readFile(path), serialize(tensors, { format: "pt" }))).toBe(0);
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  test("makes each tensor when its turn has come, from shared memory too", async () => {
    const path = join(await temporaryFolder(), "model.safetensors");
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const scratch = new Float32Array(memory.buffer, 8, 2);
    const order: string[] = [];
    const lazy = (name: string, value: number) => ({
      dtype: "F32" as const,
      shape: [2],
      data: async () => {
        order.push(name);
        return scratch.fill(value);
      },
    });
    await writeFile(path, { y: lazy("y", 2), x: lazy("x", 1) });
    expect(order).toEqual(["x", "y"]);
    const expected = serialize({
      x: { dtype: "F32", shape: [2], data: Float32Array.of(1, 1) },
      y: { dtype: "F32", shape: [2], data: Float32Array.of(2, 2) },
    });
    expect(Buffer.compare(await readFile(path), expected)).toBe(0);
  });

  test("writes first where it is told to", async () => {
    const folder = await temporaryFolder();
    const [path, temporary] = [join(folder, "model.safetensors"), join(folder, "mine.tmp")];
    let seen: readonly string[] = [];
    const data = async () => {
      seen = await readdir(folder);
      return Uint8Array.of(1);
    };
    await writeFile(path, { a: { dtype: "U8", shape: [1], data } }, undefined, { temporary });
    expect([seen, await readdir(folder)]).toEqual([["mine.tmp"], ["model.safetensors"]]);
  });

  async function untouched(write: (path: string) => Promise<void>): Promise<unknown> {
    const folder = await temporaryFolder();
    const path = join(folder, "model.safetensors");
    await writeText(path, "what was there");
    const error = await write(path).then(
      () => expect.fail("it did not fail"),
      (reason: unknown) => reason,
    );
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
    expect(await readFile(path, "utf8")).toBe("what was there");
    return error;
  }

  test("leaves the old file when a tensor cannot be made", async () => {
    const reason = new Error("out of weights");
    const failing = { dtype: "U8" as const, shape: [1], data: () => Promise.reject(reason) };
    expect(await untouched((path) => writeFile(path, { ...tensors, failing }))).toBe(reason);
  });

  test("leaves the old file when a tensor turns out to be of another size", async () => {
    const short = { dtype: "U8" as const, shape: [2], data: () => Uint8Array.of(1) };
    expect(await untouched((path) => writeFile(path, { ...tensors, short }))).toMatchObject({
      code: "size-mismatch",
      tensor: "short",
    });
  });

  test("leaves the old file when it is aborted on the way", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const abort = () => {
      controller.abort(reason);
      return Uint8Array.of(1);
    };
    const aborting = { dtype: "U8" as const, shape: [1], data: abort };
    const { signal } = controller;
    expect(await untouched((path) => writeFile(path, { ...tensors, aborting }, {}, { signal }))).toBe(reason);
    expect(await untouched((path) => writeFile(path, tensors, {}, { signal }))).toBe(reason);
  });

  test("to a folder that does not exist, or over a folder, is an error that names the path", async () => {
    const folder = await temporaryFolder();
    const nowhere = join(folder, "nowhere", "model.safetensors");
    const error = await errorOf(() => writeFile(nowhere, tensors));
    expect([error.code, error.file]).toEqual(["write-failed", nowhere]);
    await mkdir(join(folder, "taken"));
    await writeText(join(folder, "taken", "file"), "");
    expect((await errorOf(() => writeFile(join(folder, "taken"), tensors))).code).toBe("write-failed");
    expect(await readdir(folder)).toEqual(["taken"]);
  });
});
