import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable, showName, showValue } from "../src/options.ts";

describe("what messages quote", () => {
  it("is cut, with escapes for what a terminal would obey or not show", () => {
    expect(showValue(`\u001b[2J\u009b0m${"x".repeat(1e6)}`)).toBe(`"\\u001b[2J\\u009b0m${"x".repeat(33)}…"`);
    expect(showName(`h.0\u202e\u200b\u2028.weight`)).toBe("h.0\\u202e\\u200b\\u2028.weight");
    expect(showName("n".repeat(1e6))).toHaveLength(101);
    expect(showValue({ "a\u0007": 1 })).toBe("{ a\\u0007 }");
    expect(printable("tag \u{e0041}")).toBe("tag \\u{e0041}");
    expect(printable("Größe ≤ 5 — 模型 😀")).toBe("Größe ≤ 5 — 模型 😀");
  });

  it("never holds a control character, however often it is quoted", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const shown of [showValue(text), showName(text), printable(text)]) {
          expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          expect(printable(shown)).toBe(shown);
        }
      }),
    );
  });
});
