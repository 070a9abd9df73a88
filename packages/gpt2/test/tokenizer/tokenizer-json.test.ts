import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { generator, randomTexts } from "./oracle/random-texts.ts";
import { Digest } from "./support/digest.ts";

type Fields = Record<string, unknown>;

interface Fixtures {
  readonly base: Fields & { readonly model: Fields };
  readonly cases: readonly {
    readonly name: string;
    readonly changes: Fields & { readonly model?: Fields };
    readonly words: readonly string[];
    readonly leaveOut: readonly string[];
    readonly count: number;
    readonly seed: number;
    readonly texts: string;
    readonly ids: string;
    readonly ordinary: string;
    readonly decoded: string;
  }[];
}

// Made by oracle/make_tokenizer_json.py with Hugging Face's Python package.
const { base, cases }: Fixtures = JSON.parse(
  readFileSync(new URL("fixtures/tokenizer-json.json", import.meta.url), "utf8"),
);

/** The same in make_tokenizer_json.py: fields of `model` one by one, and null takes a field away. */
function changed({ model = {}, ...changes }: Fields & { readonly model?: Fields }): Fields {
  const kept = Object.entries({ ...base.model, ...model }).filter(
    ([field, value]) => value !== null || !(field in model),
  );
  return { ...base, ...changes, model: Object.fromEntries(kept) };
}

async function tokenizerOf(json: Fields): Promise<{ tokenizer: Tokenizer; warnings: string[] }> {
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  return { tokenizer: await Tokenizer.fromTokenizerJson(JSON.stringify(json), { onWarning }), warnings };
}

describe("Tokenizer.fromTokenizerJson", () => {
  it.each(cases)("makes of random texts what tokenizers does: $name", async (expected) => {
    const { tokenizer } = await tokenizerOf(changed(expected.changes));
    const { count, seed, words, leaveOut } = expected;
    const [texts, ids, ordinary] = [new Digest(), new Digest(), new Digest()];
    for (const text of randomTexts(count, seed, words, leaveOut)) {
      texts.text(text);
      ids.ids(tokenizer.encode(text, { allowedSpecial: "all" }));
      ordinary.ids(tokenizer.encode(text));
    }
    expect(texts.hex()).toBe(expected.texts);
    expect(ids.hex()).toBe(expected.ids);
    expect(ordinary.hex()).toBe(expected.ordinary);

    const decoded = new Digest();
    const below = generator(seed);
    const size = Object.keys(base.model["vocab"] as object).length + 30; // some ids have no token
    for (let i = 0; i < count / 10; i++) {
      decoded.text(tokenizer.decode(Array.from({ length: 1 + below(12) }, () => below(size))));
    }
    expect(decoded.hex()).toBe(expected.decoded);
  });
});
