import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/checkpoint/load.ts";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { ModelFormatError } from "../../src/errors.ts";
import { withDefaults } from "../../src/generate/defaults.ts";
import { generationDefaults } from "../../src/generate/generation-config.ts";
import { GPT2 } from "../../src/gpt2.ts";
import type { LoadOptions } from "../../src/load-options.ts";
import { SHAKESPEARE } from "../support/models.ts";

const names = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
const files = Object.fromEntries(
  await Promise.all(
    names.map(async (name) => [name, new Blob([new Uint8Array(await readFile(join(SHAKESPEARE, name)))])] as const),
  ),
);
const withGeneration = (text: string) => ({ ...files, "generation_config.json": new Blob([text]) });
const load = (fields: object, options: LoadOptions = {}): Promise<GPT2> =>
  GPT2.load(withGeneration(JSON.stringify(fields)), options);
const read = (fields: Readonly<Record<string, unknown>>, onWarning = expect.unreachable as (text: string) => void) =>
  generationDefaults({ file: "generation_config.json", fields }, onWarning);

describe("generation_config.json", () => {
  it("has the last word on where texts begin and end, and says nothing else unless asked", async () => {
    const config = async (fields: object) => loadConfig(await modelSource(withGeneration(JSON.stringify(fields))));
    expect(await config({ eos_token_id: [10, 11], bos_token_id: 3 })).toMatchObject({
      eosTokenIds: [10, 11],
      bosTokenId: 3,
    });
    expect(await config({ eos_token_id: null })).toMatchObject({ eosTokenIds: [1023], bosTokenId: 1023 });
    using model = await load({ eos_token_id: 10, do_sample: false, max_new_tokens: 2, num_beams: 4 });
    expect(model.generationDefaults).toEqual({});
    const { ids } = await model.generate("To be", { maxTokens: 30, seed: 1 });
    expect(ids.length).toBeGreaterThan(2);
  });

  it("gives what is not given, when asked", async () => {
    const settings = { do_sample: true, temperature: 0.8, top_k: 40, top_p: 0.9, repetition_penalty: 1.1 };
    using plain = await GPT2.load(files);
    const options = { temperature: 0.8, topK: 40, topP: 0.9, repetitionPenalty: 1.1, maxTokens: 12, seed: 3 };
    const expected = await plain.generate("To be", options);
    using model = await load({ ...settings, max_new_tokens: 12 }, { useGenerationConfig: true });
    expect(await model.generate("To be", { seed: 3 })).toEqual(expected);
    const hotter = { temperature: 1.5, maxTokens: 5, seed: 3 };
    expect(await model.generate("To be", hotter)).toEqual(await plain.generate("To be", { ...options, ...hotter }));
    const greedy = await plain.generate("To be", { greedy: true, repetitionPenalty: 1.1, maxTokens: 12, seed: 3 });
    expect(await model.generate("To be", { greedy: true, seed: 3 })).toEqual(greedy);
  });

  it("asks without do_sample for the likeliest token, and with it for 50, as in transformers", () => {
    expect(read({ temperature: 0.7, top_k: 5, repetition_penalty: 1.2 })).toEqual({
      temperature: 0,
      repetitionPenalty: 1.2,
    });
    expect(read({ do_sample: true })).toEqual({ topK: 50 });
    expect(read({ do_sample: true, top_k: 0, min_p: 0.1, no_repeat_ngram_size: 3 })).toEqual({
      minP: 0.1,
      noRepeatNgramSize: 3,
    });
    expect(read({ stop_strings: "\n" })).toEqual({ temperature: 0, stop: "\n" });
  });

  it("counts the prompt into max_length, which leaves room or says so", () => {
    expect(read({ max_length: 50 }).maxLength).toBe(50);
    expect(read({ max_length: 50, max_new_tokens: 7 })).toMatchObject({ maxTokens: 7 });
    expect(withDefaults({ maxLength: 50 }, {}, 20)).toEqual({ maxTokens: 30 });
    expect(withDefaults({ maxLength: 50 }, {}, 0)).toEqual({ maxTokens: 49 });
    expect(withDefaults({ maxLength: 50 }, { maxTokens: 3 }, 60)).toEqual({ maxTokens: 3 });
    expect(() => withDefaults({ maxLength: 50 }, {}, 50)).toThrow("maxTokens: the model's generation config allows 50");
  });

  it("is told of where it asks for what there is not", () => {
    const warnings: string[] = [];
    read(
      { num_beams: 4, typical_p: 1, guidance_scale: 1, bad_words_ids: [], use_cache: true, _from_model_config: true },
      (text) => warnings.push(text),
    );
    read({ num_beams: 1, suppress_tokens: [1, 2], max_time: 0, "new\u001b[31m": "x" }, (text) => warnings.push(text));
    expect(warnings).toEqual([
      "generation_config.json: asks for num_beams 4; there is no such option here",
      'generation_config.json: asks for suppress_tokens [1, 2], new\\u001b[31m "x"; there is no such option here',
    ]);
  });

  it("is refused, with file and field, where a setting cannot be what it says", async () => {
    for (const [fields, message] of [
      [{ do_sample: true, temperature: "hot" }, 'temperature is "hot"; expected a number from 0'],
      [{ do_sample: true, top_p: 1.5 }, "topP: expected a number above 0, at most 1, got 1.5"],
      [{ do_sample: true, top_k: 2.5 }, "topK: expected an integer from 1, got 2.5"],
      [{ max_new_tokens: 0 }, "max_new_tokens is 0; expected an integer from 1"],
      [{ max_length: 7.5 }, "max_length is 7.5; expected an integer from 1"],
      [{ stop_strings: [""] }, 'stop_strings is [""]; expected texts'],
      [{ do_sample: "yes" }, 'do_sample is "yes"; expected true or false'],
    ] as const) {
      expect(() => read(fields)).toThrow(ModelFormatError);
      expect(() => read(fields)).toThrow(`generation_config.json: ${message}`);
    }
    await expect(GPT2.load(withGeneration("{"))).rejects.toThrow("generation_config.json: not JSON: line 1, column 2");
    await expect(load({ eos_token_id: "x" })).rejects.toThrow('generation_config.json: eos_token_id is "x"');
    await expect(load({}, { useGenerationConfig: "yes" as never })).rejects.toThrow(
      "useGenerationConfig: expected true",
    );
  });

  it("gives defaults or is refused, whatever it says", () => {
    const known = [
      "do_sample",
      "temperature",
      "top_k",
      "top_p",
      "min_p",
      "max_length",
      "max_new_tokens",
      "stop_strings",
    ];
    const value = fc.oneof(fc.jsonValue(), fc.boolean(), fc.double(), fc.nat(60), fc.constantFrom(Infinity, NaN));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...known, "num_beams"), value), (fields) => {
        try {
          expect(
            Object.values(
              withDefaults(
                read(fields, () => {}),
                {},
                0,
              ),
            ),
          ).not.toContain(NaN);
        } catch (error) {
          expect(["ModelFormatError", "OptionError"]).toContain((error as Error).name);
        }
      }),
    );
  });
});
