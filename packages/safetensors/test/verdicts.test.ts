import { readFileSync } from "node:fs";
import { parse, SafetensorsError, type SafetensorsErrorCode } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { toHex } from "./support/files.ts";

interface Verdict {
  readonly name: string;
  readonly file: string;
  /** What the official parser found: name, dtype, shape, data as hexadecimal. Absent if it rejected the file. */
  readonly tensors?: readonly (readonly [string, string, readonly number[], string])[];
  readonly error?: string;
}

const fixtures = new URL("fixtures/", import.meta.url);
const verdicts: readonly Verdict[] = JSON.parse(readFileSync(new URL("verdicts.json", fixtures), "utf8"));

/** Files that the official parser takes and this one rejects on purpose. */
const STRICTER = new Map<string, SafetensorsErrorCode>([
  ["name twice", "duplicate-key"],
  ["name twice, once escaped", "duplicate-key"],
  ["__proto__ twice", "duplicate-key"],
  ["metadata key twice", "duplicate-key"],
  // Serde also reads a struct from an array and an enum from an object, which the format does not describe.
  ["tensor an array", "invalid-tensor-info"],
  ["dtype an object", "invalid-tensor-info"],
  // A JavaScript number cannot hold this dimension.
  ["a dimension past 2^53 beside a zero", "invalid-tensor-info"],
]);

/** Our codes for each of the official parser's errors. */
const CODES: readonly (readonly [string, readonly SafetensorsErrorCode[]])[] = [
  ["header too small", ["header-too-small"]],
  ["header too large", ["header-too-large"]],
  ["invalid header length", ["header-past-end"]],
  ["invalid UTF-8 in header", ["header-not-utf8"]],
  ["invalid JSON in header: invalid type: sequence, expected struct HashMetadata", ["header-not-object"]],
  ["invalid JSON in header: duplicate field", ["duplicate-key"]],
  ["invalid JSON in header: missing field", ["invalid-tensor-info", "duplicate-key", "unknown-dtype"]],
  ["invalid JSON in header: unknown variant", ["unknown-dtype", "invalid-tensor-info", "duplicate-key"]],
  [
    "invalid JSON in header: invalid",
    [
      "header-not-json",
      "header-not-object",
      "invalid-metadata",
      "invalid-tensor-info",
      "unknown-dtype",
      "duplicate-key",
    ],
  ],
  ["invalid JSON in header", ["header-not-json", "invalid-tensor-info", "unknown-dtype", "duplicate-key"]],
  // Where two of these rules are broken at once, the order of the checks decides.
  ["invalid offset for tensor", ["invalid-offsets", "duplicate-key", "invalid-tensor-info"]],
  ["invalid shape, data type, or offset", ["size-mismatch", "duplicate-key"]],
  ["overflow computing buffer size", ["shape-overflow", "invalid-tensor-info"]],
  ["The slice is slicing for subbytes dtypes", ["misaligned"]],
  ["incomplete metadata, file not fully covered", ["data-not-covered", "duplicate-key", "invalid-tensor-info"]],
];

function expectedCodes(error: string): readonly SafetensorsErrorCode[] {
  return CODES.find(([official]) => error.includes(official))?.[1] ?? [];
}

async function outcome({ file }: Verdict) {
  try {
    const tensors = parse(Buffer.from(file, "base64"));
    const read = tensors.names.map(async (name) => {
      const { dtype, shape, data } = await tensors.read(name);
      return [name, dtype, shape, toHex(data)] as const;
    });
    return await Promise.all(read);
  } catch (error) {
    if (error instanceof SafetensorsError) return error;
    throw error;
  }
}

function byName(tensors: Verdict["tensors"]) {
  return tensors?.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe("the official parser's verdicts", () => {
  test("cover several hundred files, accepted and rejected", () => {
    expect(verdicts.length).toBeGreaterThan(900);
    expect(verdicts.filter((verdict) => verdict.tensors !== undefined).length).toBeGreaterThan(100);
    expect(new Set(verdicts.map((verdict) => verdict.name)).size).toBe(verdicts.length);
  });

  test("are ours for every file it rejects, for a matching reason", async () => {
    for (const verdict of verdicts.filter(({ error }) => error !== undefined)) {
      const error = await outcome(verdict);
      const codes = expectedCodes(verdict.error ?? "");
      expect(error, `${verdict.name}: officially ${verdict.error}`).toBeInstanceOf(SafetensorsError);
      expect(codes, `${verdict.name}: officially ${verdict.error}, ours ${error}`).toContain(
        (error as SafetensorsError).code,
      );
    }
  });

  test("are ours for every file it accepts, to the last byte, except where ours is stricter on purpose", async () => {
    const stricter = new Map<string, string>();
    for (const verdict of verdicts.filter(({ tensors }) => tensors !== undefined)) {
      const result = await outcome(verdict);
      if (result instanceof SafetensorsError) stricter.set(verdict.name, result.code);
      else expect(byName(result), verdict.name).toEqual(byName(verdict.tensors));
    }
    const mutations = [...stricter].filter(([name]) => name.startsWith("mutation"));
    expect(mutations.filter(([, code]) => code !== "duplicate-key")).toEqual([]);
    expect(new Map([...stricter].filter(([name]) => !name.startsWith("mutation")))).toEqual(STRICTER);
  });
});
