import fc from "fast-check";
import { bitsPerElement, type Dtype, open, parse, type SafeTensors, SafetensorsError, serialize } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { watchAllocations } from "./support/allocations.ts";
import { edits, metadata, tensors } from "./support/arbitraries.ts";
import { toHex } from "./support/files.ts";

const MUTATED_FILES = 12_000;
/** Every so many mutated files, the other way in is compared too. */
const COMPARE_EVERY = 8;

describe("a file that is written and read", () => {
  test("has the same tensors and metadata, and is written the same again", async () => {
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (inputs, notes) => {
        const bytes = serialize(inputs, notes);
        const file = parse(bytes);
        expect(new Set(file.names)).toEqual(new Set(inputs.keys()));
        expect(file.metadata).toEqual(notes);
        const again = new Map<string, Awaited<ReturnType<SafeTensors["read"]>>>();
        for (const [name, input] of inputs) {
          const read = await file.read(name);
          expect([read.dtype, read.shape, toHex(read.data)]).toEqual([input.dtype, input.shape, toHex(input.data)]);
          again.set(name, read);
        }
        expect(toHex(serialize(again, file.metadata))).toBe(toHex(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});

async function contentOf(file: SafeTensors) {
  const entries = file.names.map(async (name) => {
    const { dtype, shape, data } = await file.read(name);
    return [name, { dtype, shape, data: toHex(data) }] as const;
  });
  return { metadata: file.metadata, tensors: new Map(await Promise.all(entries)) };
}

/** What a file says by the format's definition, read the short way: only for files that are valid. */
function contentByDefinition(file: Uint8Array) {
  const dataBegin = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, dataBegin)));
  const { __metadata__: notes, ...rest } = header as Record<string, Record<string, string>>;
  const entries = Object.entries(
    rest as unknown as Record<string, { dtype: Dtype; shape: number[]; data_offsets: [number, number] }>,
  );
  entries.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  let position = dataBegin;
  const tensors = entries.map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, end],
      },
    ]) => {
      expect(dataBegin + begin).toBe(position);
      position = dataBegin + end;
      const size = shape.reduce((product, length) => product * length, 1);
      expect(size * bitsPerElement(dtype)).toBe((end - begin) * 8);
      return [name, { dtype, shape, data: toHex(file.subarray(dataBegin + begin, dataBegin + end)) }] as const;
    },
  );
  expect(position).toBe(file.byteLength);
  return { metadata: notes ?? undefined, tensors: new Map(tensors) };
}

describe("a mutated file", () => {
  test(`(${MUTATED_FILES} of them) is read as its header says or fails with a SafetensorsError, and costs no more memory than it has bytes`, async () => {
    const outcomes = new Map<string, number>();
    let runs = 0;
    const mutated = fc
      .tuple(tensors, metadata, edits)
      .map(([inputs, notes, changes]) => changes.reduce((file, edit) => edit(file), serialize(inputs, notes)));
    await fc.assert(
      fc.asyncProperty(mutated, async (bytes) => {
        const watch = watchAllocations();
        let content: Awaited<ReturnType<typeof contentOf>> | undefined;
        let error: SafetensorsError | undefined;
        try {
          content = await contentOf(parse(bytes));
        } catch (thrown) {
          if (!(thrown instanceof SafetensorsError)) throw thrown;
          error = thrown;
        } finally {
          watch.stop();
        }
        expect(watch.seen.bytes).toBeLessThanOrEqual(bytes.byteLength);
        if (content !== undefined) expect(content).toEqual(contentByDefinition(bytes));
        if (++runs % COMPARE_EVERY === 0) {
          const other = open(new Blob([bytes])).then(contentOf);
          if (content !== undefined) expect(await other).toEqual(content);
          else await expect(other).rejects.toMatchObject({ code: error?.code, tensor: error?.tensor });
        }
        const outcome = error?.code ?? "read";
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }),
      { numRuns: MUTATED_FILES, timeout: 30_000 },
    );
    expect(runs).toBeGreaterThanOrEqual(10_000);
    // The mutations reach past the JSON: each rule is broken somewhere, and many files survive.
    for (const code of [
      ...["header-too-small", "header-too-large", "header-past-end", "header-not-utf8", "header-not-json"],
      ...["header-not-object", "duplicate-key", "invalid-metadata", "invalid-tensor-info", "unknown-dtype"],
      ...["misaligned", "size-mismatch", "invalid-offsets", "data-not-covered", "read"],
    ]) {
      expect(outcomes.get(code) ?? 0, code).toBeGreaterThan(code === "read" ? 500 : 0);
    }
  });
});
