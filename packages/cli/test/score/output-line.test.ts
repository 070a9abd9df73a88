import type { Score } from "@gpt2-ts/gpt2";
import { describe, expect, it } from "vitest";
import { joined, outputLine, Verbatim } from "../../src/score/output-line.ts";

const score = (length: number): Score => ({
  ids: Array.from({ length }, (_, i) => i),
  tokens: Array.from({ length }, (_, i) => `"${i}\n`),
  logprobs: Array.from({ length: Math.max(0, length - 1) }, (_, i) => -i / 3),
  logLikelihood: -1.5,
  perplexity: Number.NaN,
  bitsPerByte: Number.NaN,
});

describe("a line of the output", () => {
  it.each([0, 1, 65_536, 65_537, 200_000])("is JSON of the result, of %i tokens", (length) => {
    const result = score(length);
    const members = Object.entries(result);
    expect([...outputLine("", members, undefined)].join("")).toBe(`${JSON.stringify(result)}\n`);
    expect([...outputLine('"a":1', members, undefined)].join("")).toBe(`${JSON.stringify({ a: 1, ...result })}\n`);
    expect([...outputLine('"a":1', members, 'k"')].join("")).toBe(`${JSON.stringify({ a: 1, 'k"': result })}\n`);
  });

  it("has JSON that is passed through as it is", () => {
    expect([...outputLine("", [["a", new Verbatim('"\\u0041"')]], undefined)].join("")).toBe('{"a":"\\u0041"}\n');
  });

  it("comes in pieces that are not too long for a string, joined to few", () => {
    const pieces = [...outputLine("", Object.entries(score(300_000)), undefined)];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(2_000_000);
    expect([...joined(["a", "bc", "d", "efg", "h"], 3)]).toEqual(["abc", "defg", "h"]);
    expect([...joined([])]).toEqual([]);
  });
});
