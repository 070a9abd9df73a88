import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colourAt, contrast } from "../../../hw1/src/figures/theme.ts";
import {
  columnsOf,
  drawAttention,
  drawAttentionArcs,
  drawAttentionHeads,
  drawContributions,
  drawLens,
  drawSurprise,
  LETTERS,
  shortToken,
  shownToken,
} from "../../src/draw/index.ts";

const HOSTILE = [
  "<script>alert(1)</script>",
  "\u0000\u0007",
  "]]>&amp;",
  '"\'><x y="',
  "\ud800",
  "a\u202eb",
  "{T}",
  "漢字",
  "\n",
  " ",
];

/** All drawings of some tokens, with numbers of some sort. */
function drawings(tokens: readonly string[], theme?: "light" | "dark"): string[] {
  const T = tokens.length;
  const pattern = Float32Array.from({ length: T * T }, (_, i) => (i % T <= i / T ? 1 / (Math.floor(i / T) + 1) : 0));
  const layers = ["x.0", "x.1", "x.2"].map((place) => ({
    place,
    top: tokens.map((_, t) => [{ token: tokens[(t + 1) % T]!, probability: t / T }]),
  }));
  const parts = ["wte", "wpe", "h.0.attn.head.0", "h.0.attn.cProj.bias", "h.0.mlp.cProj", "lnF.bias"];
  const options = theme && { theme };
  return [
    drawAttention(tokens, pattern, { title: tokens[0], ...options }),
    drawAttentionHeads(tokens, [pattern, pattern], options),
    drawLens({ tokens, layers }, options),
    drawSurprise({ tokens, logprobs: tokens.slice(1).map((_, t) => -t) }, options),
    drawContributions(
      {
        tokens,
        position: T - 1,
        target: { token: tokens[0]! },
        against: { token: tokens.at(-1)! },
        logit: 1.5,
        parts: parts.map((part, i) => ({ part, logit: i - 2.25 })),
      },
      options,
    ),
    drawAttentionArcs(tokens, pattern, options),
  ];
}

describe("drawings", () => {
  it("are well-formed whatever the tokens are, with no element that a token made", () => {
    const token = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 6 }), (tokens) => {
        for (const svg of drawings(tokens)) expect(elementsOf(svg)).not.toContain("script");
      }),
      { numRuns: 30 },
    );
  });

  it("are the same bytes each time, and light and dark differ in colours alone", () => {
    const [light, again, dark] = (["light", "light", "dark"] as const).map((theme) =>
      drawings(["To", " be", "\n"], theme),
    );
    expect(again).toEqual(light);
    const bare = (svg: string): string => svg.replace(/<style>.*?<\/style>/, "").replaceAll("gpt2-dark", "gpt2-light");
    expect(dark!.map(bare)).toEqual(light!.map(bare));
    expect(dark).not.toEqual(light);
    for (const svg of drawings(["To", " be"])) expect(svg).toContain("@media (prefers-color-scheme: dark)");
  });

  it("may stand in one page: no ids, and rules for nothing but their own theme", () => {
    for (const svg of drawings(HOSTILE, "dark")) {
      expect(svg).not.toMatch(/ id=/);
      const [, style] = /<style>(.*?)<\/style>/.exec(svg)!;
      for (const rule of style!.split("}").filter(Boolean)) expect(rule).toMatch(/^\.gpt2-dark \./);
    }
  });

  it("tell the numbers that they were given", () => {
    const tokens = ["To", " be", ","];
    const attention = drawAttention(tokens, [1, 0, 0, 0.25, 0.75, 0, 0.5, 0.001, 0.499]);
    expect(titles(attention)).toEqual([
      "Attention of one head",
      "“To” attends to “To”: 100 %",
      "“·be” attends to “To”: 25 %",
      "“·be” attends to “·be”: 75 %",
      "“,” attends to “To”: 50 %",
      "“,” attends to “·be”: <1 %",
      "“,” attends to “,”: 50 %",
    ]);
    const surprise = drawSurprise({ tokens, logprobs: [-Math.LN2 * 3, -Math.LN2 * 5] });
    expect(surprise).toContain(">3.0<");
    expect(surprise).toContain("On average 4.00 bits a token");
    expect(surprise).toContain("16.0 equal");
    const arcs = drawAttentionArcs(tokens, [1, 0, 0, 0.25, 0.75, 0, 0.5, 0.001, 0.499]);
    expect(titles(arcs)).toEqual(["Where “,” looks", "To: 50 %", "·be: <1 %", ",: 50 %"]);
    const [, , lens, , contributions] = drawings(tokens);
    expect(titles(lens!).slice(1, 4)).toEqual(["·be 0 %", "·be 0 %", "·be 0 %"]);
    expect(lens!.match(/class="line-ink"/g)).toHaveLength(2 * 3); // the token that comes, in three layers
    expect(titles(contributions!)).toEqual([
      "Why “To” rather than “,” after “,”, token 2",
      "wte: −2.2500",
      "wpe: −1.2500",
      "h.0.attn.head.0: −0.2500",
      "h.0.attn.cProj.bias: +0.7500",
      "h.0.mlp.cProj: +1.7500",
      "lnF.bias: +2.7500",
    ]);
  });

  it("stay small for a whole context, and leave nothing outside", () => {
    const tokens = Array.from({ length: 256 }, (_, i) => [" the", "\n", " and", "漢字漢字漢字漢字"][i % 4]!);
    for (const svg of drawings(tokens)) {
      expect(svg.length).toBeLessThan(1_500_000);
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
      expect(Number(width)).toBeLessThan(1100);
      for (const [, x] of svg.matchAll(/<(?:rect|text) x="([\d.]+)"/g)) expect(Number(x)).toBeLessThan(Number(width));
      for (const [, y] of svg.matchAll(/ y="([\d.]+)"/g)) expect(Number(y)).toBeLessThan(Number(height));
    }
  });

  it("have an arc to each token that the chosen one takes something from, and none to what comes later", () => {
    const tokens = Array.from({ length: 40 }, (_, t) => (t % 9 === 8 ? "\n" : ` token${t}`));
    const pattern = Float32Array.from({ length: 1600 }, (_, i) =>
      i % 40 <= i / 40 ? 1 / (Math.floor(i / 40) + 1) : 0,
    );
    const arcsOf = (svg: string) => svg.match(/<path [^>]*class="line-share"/g)?.length ?? 0;
    for (const from of [0, 1, 20, 39]) {
      const svg = drawAttentionArcs(tokens, pattern, { from, width: 300 });
      expect(arcsOf(svg)).toBe(from);
      expect(svg.match(/data-token="\d+"/g)).toEqual(tokens.map((_, t) => `data-token="${t}"`));
      expect(svg.match(/class="line-ink"/g)).toHaveLength(1);
    }
    expect(drawAttentionArcs(tokens, pattern)).toBe(drawAttentionArcs(tokens, pattern, { from: 39 }));
    const [, width] = /viewBox="0 0 (\d+)/.exec(drawAttentionArcs(tokens, pattern, { width: 300, heading: false }))!;
    expect(Number(width)).toBeLessThanOrEqual(306);
    for (const from of [-1, 40, 0.5]) expect(() => drawAttentionArcs(tokens, pattern, { from })).toThrow(RangeError);
    expect(() => drawAttentionArcs([], [])).toThrow(RangeError);
  });

  it("of a token's attention have room between lines only for arcs and numbers", () => {
    const tokens = ["a", "\n", "b", "\n", "c", "\n", "d"];
    const shares = [0, 0, 0.5, 0, 0.5, 0, 0];
    const pattern = Float32Array.from({ length: 49 }, (_, i) => shares[i % 7]!);
    const svg = drawAttentionArcs(tokens, pattern, { from: 4, heading: false });
    const tops = Array.from(svg.matchAll(/<rect x="0" y="(\d+)"[^>]*class="share"/g), ([, y]) => Number(y));
    expect(tops).toHaveLength(4);
    const [first, second, third] = tops.slice(1).map((top, i) => top - tops[i]!) as [number, number, number];
    expect(first).toBeLessThan(36); // nothing between
    expect(second).toBeGreaterThan(first + 30); // numbers of b, arcs of c
    expect(third).toBeGreaterThan(first); // numbers of c
    expect(third).toBeLessThan(second);
  });

  it("stand without their heading where a page has its own, the name kept for those who cannot see", () => {
    const tokens = ["To", " be"];
    for (const draw of [drawAttention, drawAttentionArcs]) {
      const [whole, bare] = [true, false].map((heading) => draw(tokens, [1, 0, 0.5, 0.5], { title: "Name", heading }));
      expect(bare).toContain("<title>Name</title>");
      expect(bare).not.toContain(">Name</text>");
      expect(whole).toContain(">Name</text>");
      const height = (svg: string) => Number(/viewBox="0 0 \d+ (\d+)"/.exec(svg)![1]);
      expect(height(bare!)).toBeLessThan(height(whole!) - 60);
    }
  });

  it("refuse numbers that do not fit the tokens", () => {
    expect(() => drawAttention(["a", "b"], [1, 2, 3])).toThrow(/^drawAttention: expected 4 numbers, got 3$/);
    expect(() => drawSurprise({ tokens: ["a"], logprobs: [-1] })).toThrow(/^drawSurprise: expected 0 numbers, got 1$/);
    expect(() => drawAttentionHeads(["a", "b"], [new Float32Array(8), new Float32Array(4)])).toThrow(RangeError);
  });

  it.each(["light", "dark"] as const)(
    "have text that can be read in %s: WCAG 2's contrast of 4.5 and more",
    (theme) => {
      const [svg] = drawings(["To"], theme);
      const colour = Object.fromEntries(
        Array.from(svg!.matchAll(/\.gpt2-\w+ \.([\w-]+)\{fill:(#\w{6})\}/g), ([, name, value]) => [name, value!]),
      );
      for (const name of ["ink", "muted", ...Object.keys(LETTERS).map((letter) => `letter-${letter}`)]) {
        expect(contrast(colour[name]!, colour["paper"]!), name).toBeGreaterThan(4.5);
      }
      // Text on a cell at its strongest.
      for (const [name, opacity] of [
        ["share", 0.54],
        ["surprise", 0.6],
        ["up", 0.58],
        ["down", 0.58],
      ] as const) {
        expect(contrast(colour["ink"]!, colourAt([colour["paper"]!, colour[name]!], opacity)), name).toBeGreaterThan(
          4.5,
        );
      }
    },
  );
});

describe("tokens are shown", () => {
  it("with signs for what cannot be seen, cut to the columns there are", () => {
    expect(shownToken(" a\n\t\u0000\u202e")).toBe("·a↵⇥\\x00\ufffd");
    expect(shortToken(" understanding", 6)).toBe("·unde…");
    expect(shortToken("漢字漢字", 5)).toBe("漢字…");
    expect(columnsOf("漢字e\u0301")).toBe(5);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (token, columns) => {
        expect(columnsOf(shortToken(token, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

function titles(svg: string): string[] {
  return Array.from(svg.matchAll(/<title>(.*?)<\/title>/g), ([, title]) =>
    title!.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))),
  );
}

/** The names of the elements of a document. Throws where it is not well-formed XML. */
function elementsOf(svg: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  const pieces = /<(\/?)([a-z]+)((?: [\w-]+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)(\/?)>|([^<&]+)|(&#\d+;)/gy;
  let end = 0;
  for (const [piece, closing, name, , empty] of svg.matchAll(pieces)) {
    end += piece.length;
    expect(piece).not.toMatch(/[^\P{C}\t\n\r\p{Cf}\p{Co}\p{Cn}]/u);
    if (name === undefined) continue;
    names.push(name);
    if (closing) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name);
  }
  expect(svg.slice(end)).toBe("");
  expect(open).toEqual([]);
  return names;
}
