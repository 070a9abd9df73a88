import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePythonJson } from "../../src/model/python-json.ts";

describe("parsePythonJson", () => {
  test("reads NaN and infinities where values stand, and leaves texts alone", () => {
    const text =
      '{"a": NaN, "NaN": [Infinity, -Infinity, 1e5, -0.5], "b": "NaN, \\"-Infinity\\"", "c": {"d": null, "e": true}}';
    expect(parsePythonJson(text)).toEqual({
      a: NaN,
      NaN: [Infinity, -Infinity, 1e5, -0.5],
      b: 'NaN, "-Infinity"',
      c: { d: null, e: true },
    });
  });

  test("gives what JSON.parse gives, with or without NaN beside it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parsePythonJson(`[NaN, ${text}]`)).toEqual([NaN, JSON.parse(text)]);
        expect(parsePythonJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    ['{"a": Infinity,\n "b": x}', "line 2, column 7: expected a value"],
    ['{"a": Infinity "b": 1}', 'line 1, column 16: expected "," or "}"'],
    ["[NaN,]", "line 1, column 6: expected a value"],
    ["{NaN: 1}", "line 1, column 2: expected a key in quotes"],
    ['{"a" NaN}', 'line 1, column 6: expected ":"'],
    ["[NaN] []", "line 1, column 7: expected the end"],
    ["[NaN", 'line 1, column 5: expected "," or "]"'],
    ["", "line 1, column 1: expected a value"],
    ["+Infinity", "line 1, column 1: expected a value"],
    ["Infinity5", "line 1, column 9: expected the end"],
    ["nan", "line 1, column 1: expected a value"],
    ["[NaN, 01]", "line 1, column 7: expected a value"],
    ['[NaN, "a\nb"]', "line 1, column 7: expected a value"],
    [`[NaN, ${"[".repeat(1000)}`, "nested deeper than 64 levels"],
  ])("says where %j goes wrong", (text, message) => {
    expect(() => parsePythonJson(text)).toThrow(SyntaxError);
    expect(() => parsePythonJson(text)).toThrow(message);
  });

  test("keeps __proto__ a key like any other", () => {
    const parsed = parsePythonJson('{"__proto__": {"x": NaN}}') as object;
    expect(Object.keys(parsed)).toEqual(["__proto__"]);
    expect((parsed as { readonly x?: unknown }).x).toBeUndefined();
  });

  test("reads or throws its own error, whatever is changed, and in one pass", () => {
    const valid =
      '{"n_layer": 2, "time_limit": Infinity, "a": [NaN, -Infinity, {"b": "c\\u00e9", "d": -1.5e-7}], "e": false}';
    fc.assert(
      fc.property(fc.nat(valid.length), fc.nat(3), fc.string({ maxLength: 3 }), (at, cut, put) => {
        const text = valid.slice(0, at) + put + valid.slice(at + cut);
        try {
          parsePythonJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: 2000 },
    );
    // Anything quadratic would take hours.
    for (const text of ['"'.padEnd(2e6, "\\"), "[".repeat(2e6), " ".repeat(2e6), `${"9".repeat(2e6)}x`]) {
      expect(() => parsePythonJson(`[NaN, ${text}`)).toThrow(SyntaxError);
    }
  });
});
