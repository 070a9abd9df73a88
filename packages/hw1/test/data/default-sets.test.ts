import { describe, expect, it } from "vitest";
import { defaultCourseData, RANDOM_ALPHABET } from "../../src/default-sets.ts";

const data = await defaultCourseData(20190929);

describe("the default sets", () => {
  it("are three of 100 strings of 100 characters, five prompts and 300 labelled texts", () => {
    for (const set of [data.random, data.shakespeare, data.papers]) {
      expect(set.texts).toHaveLength(100);
      for (const text of set.texts) expect(text).toHaveLength(100);
    }
    expect(data.prompts.map((prompt) => prompt.length)).toEqual([100, 100, 100, 100, 100]);
    expect(new Set(data.prompts).size).toBe(5);
    expect(data.mixed.texts).toHaveLength(300);
    expect(data.mixed.labels?.filter((random) => random)).toHaveLength(150);
    expect(data.mixed.labels?.filter((random) => !random)).toHaveLength(150);
  });

  it("are the same for the same seed and others for another", async () => {
    expect(await defaultCourseData(20190929)).toEqual(data);
    const other = await defaultCourseData(1);
    for (const set of ["random", "shakespeare", "papers"] as const) {
      expect(other[set].texts).not.toEqual(data[set].texts);
    }
    expect(other.mixed.texts).not.toEqual(data.mixed.texts);
  });

  it("have each letter about as often as any other in the random one", () => {
    const letters = data.random.texts.join("");
    // Chi-square with 25 degrees of freedom exceeds 52.6 once in a thousand seeds; this seed is fixed.
    const expected = letters.length / RANDOM_ALPHABET.length;
    const statistic = [...RANDOM_ALPHABET]
      .map((letter) => letters.split(letter).length - 1)
      .reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(statistic).toBeLessThan(52.6);
    expect(letters).toMatch(/^[a-z]+$/);
  });

  it("label the mixed texts right: random ones are letters only, real ones have words of the books", () => {
    for (const [i, text] of data.mixed.texts.entries()) {
      expect(/^[a-z]+$/.test(text), text).toBe(data.mixed.labels?.[i]);
    }
  });

  it("put texts of 40 to 200 characters into the mixed set, of many lengths", () => {
    const lengths = data.mixed.texts.map((text) => text.length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(39); // a space at the end is cut off
    expect(Math.max(...lengths)).toBeLessThanOrEqual(200);
    expect(new Set(lengths).size).toBeGreaterThan(100);
  });

  it("have no passage twice, and none of the mixed texts in another set", () => {
    const real = [...data.shakespeare.texts, ...data.papers.texts];
    expect(new Set([...real, ...data.mixed.texts]).size).toBe(500);
    const mixed = data.mixed.texts.filter((_, i) => !data.mixed.labels?.[i]);
    // 30 characters are long enough to be no chance phrase.
    const known = new Set(real.flatMap((text) => pieces(text, 30)));
    expect(mixed.filter((text) => pieces(text, 30).some((piece) => known.has(piece)))).toEqual([]);
  });

  it("are lines of plain text that begin with a word", () => {
    for (const text of [...data.shakespeare.texts, ...data.papers.texts, ...data.prompts, ...data.mixed.texts]) {
      expect(text).toMatch(/^\S/);
      expect(text).not.toMatch(/[\n\r\t]|\s\s|\ufffd/);
    }
  });
});

function pieces(text: string, length: number): string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length));
}
