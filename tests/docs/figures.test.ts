// The pictures of docs/looking.md are what the library draws. To draw them again after a change:
//
//     npx vitest run tests/docs/figures.test.ts -u
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GPT2 } from "@gpt2-ts/gpt2";
import { drawAttention, drawAttentionHeads, drawContributions, drawLens, drawSurprise } from "@gpt2-ts/gpt2/draw";
import { contributions, logitLens, trace } from "@gpt2-ts/gpt2/look";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "./documents.ts";

const TEXT = "He was afraid of Farmer Brown's";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(join(ROOT, "weights/stories"), { deterministic: true });
});
afterAll(() => model.dispose());

const idOf = (token: string): number => model.tokenizer.encode(token)[0]!;

const figures: Readonly<Record<string, () => Promise<string>>> = {
  surprise: async () => drawSurprise(await model.score(TEXT)),
  heads: async () => {
    const { tokens, values } = await trace(model, TEXT, { places: ["h.*.attn.pattern"] });
    return drawAttentionHeads(
      tokens,
      values.map(({ data }) => data),
    );
  },
  attention: async () => {
    const { tokens, values } = await trace(model, TEXT, { places: ["h.0.attn.pattern"] });
    const ofHead = tokens.length ** 2;
    return drawAttention(tokens, values[0]!.data.subarray(ofHead, 2 * ofHead), {
      title: "Attention of layer 0, head 1",
    });
  },
  lens: async () => drawLens(await logitLens(model, TEXT)),
  contributions: async () =>
    drawContributions(await contributions(model, TEXT, { target: idOf(" boy"), against: idOf(" face") })),
};

describe("docs/looking.md", () => {
  it.each(Object.keys(figures))("shows %s as the library draws it", async (name) => {
    await expect(await figures[name]!()).toMatchFileSnapshot(join(ROOT, `docs/figures/look-${name}.svg`));
    expect(readFileSync(join(ROOT, "docs/looking.md"), "utf8")).toContain(`(figures/look-${name}.svg)`);
  });
});
