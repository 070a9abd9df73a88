import { createHash } from "node:crypto";
import { Resvg } from "@resvg/resvg-wasm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { figuresOf } from "../../src/figures/index.ts";
import { toPng } from "../../src/figures/png.ts";
import { contrast, DARK, LIGHT } from "../../src/figures/theme.ts";
import { tokenStrip } from "../../src/figures/token-strip.ts";
import { results, strip } from "./results.ts";

const figures = figuresOf(results);
await toPng("<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>"); // starts resvg, whose parser is strict

describe.each([LIGHT, DARK])("figures on a $name background", (theme) => {
  it("are three histograms, the joint one, the tokens and the ROC curve", () => {
    expect(figures.map(({ name }) => name)).toEqual([
      "likelihood-random",
      "likelihood-shakespeare",
      "likelihood-papers",
      "likelihood-joint",
      "likelihood-tokens",
      "roc",
    ]);
  });

  it.each(figures)("$name has the same bytes whenever it is drawn, as SVG and as PNG", async ({ draw }) => {
    expect(draw(theme)).toBe(draw(theme));
    expect(sha256(await toPng(draw(theme)))).toBe(sha256(await toPng(draw(theme))));
  });

  it.each(figures)("$name is well-formed XML without scripts, style sheets or references", ({ draw }) => {
    const svg = draw(theme);
    expect(isXml(svg)).toBe(true);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).not.toMatch(/<style|<script|href|url\(|\bundefined\b|NaN/);
  });

  it.each(figures)("$name has a background of its own and letters with enough contrast on it", ({ draw }) => {
    const svg = draw(theme);
    const [, width] = / width="(\d+)"/.exec(svg)!;
    expect(svg).toMatch(new RegExp(`<rect [^>]*fill="${theme.background}"[^>]*width="${width}"`));
    expect(contrast(theme.ink, theme.background)).toBeGreaterThan(7);
    expect(contrast(theme.muted, theme.background)).toBeGreaterThan(4.5);
    for (const colour of theme.series) expect(contrast(colour, theme.background)).toBeGreaterThan(3);
  });

  it.each(figures)("$name is drawn as a PNG of twice its size, with letters", async ({ draw }) => {
    const svg = draw(theme);
    const png = Buffer.from(await toPng(svg));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBe(2 * Number(/ width="(\d+)"/.exec(svg)![1]));
    expect(png.readUInt32BE(20)).toBe(2 * Number(/ height="(\d+)"/.exec(svg)![1]));
    const mute = Buffer.from(await toPng(svg.replaceAll(/<text[ >].*?<\/text>/gs, "")));
    expect(mute.equals(png)).toBe(false);
  });

  it("say titles and tokens as they are, escaped", () => {
    const [, , papers] = figures;
    expect(textsOf(papers!.draw(theme))).toContain("Papers <&\"'> | a *stand-in*");
    expect(textsOf(tokenStrip(strip, theme))).toEqual(expect.arrayContaining([" be", ' <&"', "'>", "↵"]));
  });

  it("hold any text at all", () => {
    for (const broken of ["&", "<", "\u0001", "\uffff"]) {
      expect(isXml(`<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><text>${broken}</text></svg>`)).toBe(
        false,
      );
    }
    const token = fc.record({
      text: fc.string({ unit: "binary", maxLength: 90 }),
      logprob: fc.option(fc.double({ min: -50, max: 0, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
        expect(isXml(tokenStrip({ text: "", tokens }, theme))).toBe(true);
      }),
      { numRuns: 60 },
    );
    const hostile = [
      "\ud800",
      "\udfff",
      "\0",
      "\u0001",
      "\u007f",
      "\u0085",
      "\ufffe",
      "\uffff",
      "]]>",
      "<!--",
      "&amp;",
    ];
    const tokens = hostile.map((text) => ({ text, logprob: -1 }));
    const svg = tokenStrip({ text: "", tokens }, theme);
    expect(isXml(svg)).toBe(true);
    expect(textsOf(svg)).toEqual(expect.arrayContaining(["\\x00", "\\x01", "\\x7f", "]]>", "<!--", "&amp;"]));
  });
});

function isXml(text: string): boolean {
  try {
    new Resvg(text).free();
    return true;
  } catch {
    return false;
  }
}

/** What the text elements say. */
function textsOf(svg: string): string[] {
  const entities: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&" };
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) =>
    text!.replaceAll(/&(?:lt|gt|quot|amp);/g, (entity) => entities[entity]!),
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
