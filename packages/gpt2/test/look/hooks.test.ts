import {
  fromData,
  keep,
  linear,
  type MatrixEncoding,
  ShapeMismatchError,
  Tensor,
  type WasmBackend,
} from "@gpt2-ts/tensor";
import { OptionError } from "@gpt2-ts/tensor/options";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContextLengthError, TokenIdError } from "../../src/errors.ts";
import { GPT2 } from "../../src/gpt2.ts";
import {
  contributions,
  type Hooks,
  hookAt,
  logitLens,
  placesOf,
  run,
  startHooks,
  trace,
} from "../../src/look/index.ts";
import type { GPT2Config } from "../../src/model/config.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import { initialModel } from "../../src/model/initialize.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { randomModel, SHAKESPEARE } from "../support/models.ts";

const TEXT = "To be, or not to be";

for (const device of ["reference", "wasm"] as const) {
  for (const dtypes of [{}, { dtype: "bf16", cacheDtype: "bf16" }, { dtype: "int8" }] as const) {
    describe(`hooks (${device}, ${JSON.stringify(dtypes)})`, () => {
      let model: GPT2;
      let plain: Float32Array;
      beforeAll(async () => {
        model = await GPT2.load(SHAKESPEARE, { device, ...dtypes });
        using logits = model.logits(TEXT);
        plain = await logits.data();
      });
      afterAll(() => model.dispose());

      const logitsWith = async (hooks: Hooks, ablate: readonly string[] = []): Promise<Float32Array> => {
        using logits = run(model, TEXT, { hooks, ablate });
        return await logits.data();
      };

      it("change no bit by putting each value, or a copy of it, in its own place", async () => {
        const copy = (value: Tensor<readonly number[]>) =>
          fromData(value.dataSync(), value.shape, { device: value.device });
        const seen = new Set<string>();
        for (const same of [copy, (value: Tensor<readonly number[]>) => value]) {
          const hooks = Object.fromEntries(
            [...placesOf(model.config).values()].map(({ name, writable }) => [
              name,
              (value: Tensor<readonly number[]>) => {
                seen.add(name);
                return writable ? same(value) : undefined;
              },
            ]),
          );
          if (model.model.cacheDtype !== "f32")
            for (const name of Object.keys(hooks)) if (name.endsWith("scores")) delete hooks[name];
          expect(await logitsWith(hooks as Hooks)).toEqual(plain);
          expect(seen.size).toBe(Object.keys(hooks).length);
        }
      });

      it("switch a head off: as if its rows of cProj were zeros, the bias kept", async () => {
        const { sizes, weights } = model.model;
        const { D, C } = sizes;
        const { weight, bias } = weights.h[2]!.attn.cProj;
        if (weight.storage.packed?.encoding.name === "int8") return; // its products round heads together
        const { values } = await trace(model, TEXT, {
          places: ["h.2.attn.cProj", "h.2.attn.y"],
          ablate: ["h.2.attn.head.1"],
        });
        const zeroed = (await weight.data()).slice();
        zeroed.fill(0, D * C, 2 * D * C);
        const y = (await trace(model, TEXT, { places: ["h.2.attn.y"] })).values[0]!;
        const T = y.shape[0]!;
        using x = fromData(y.data, [T, C], { device });
        using without = fromData(zeroed, [C, C], { device });
        const encoding = (weight.storage.packed?.encoding.name ?? "f32") as MatrixEncoding;
        using packed = without.pack(encoding); // as the model's weight is
        using expected = linear(x, packed, bias);
        expect(values[1]!.data).toEqual(await expected.data());
      });
    });
  }
}

describe("a hook", () => {
  let model: GPT2;
  beforeAll(async () => {
    model = await GPT2.load(SHAKESPEARE);
  });
  afterAll(() => model.dispose());

  it("is called once for each place, in the order of the pass, with what the trace tells of it", async () => {
    const { values } = await trace(model, TEXT);
    const seen: unknown[] = [];
    const hooks = Object.fromEntries(
      values.map(({ name }) => [
        name,
        (value: Tensor<readonly number[]>, place: object) => void seen.push({ ...place, shape: value.shape }),
      ]),
    );
    run(model, TEXT, { hooks }).dispose();
    expect(seen).toEqual(values.map(({ data: _, ...place }) => place));
    const { C, H, D, F, V } = model.model.sizes;
    const sizes = { T: 7, C, H, D, F, V, "3C": 3 * C };
    for (const { name, axes, shape, data } of values) {
      expect(shape, name).toEqual(axes.map((letter) => sizes[letter]));
      expect(data.length, name).toBe(shape.reduce((a, b) => a * b));
    }
    expect(values.at(-1)?.data).toEqual(await dataOf(model.logits(TEXT)));
  });

  it("may stand for all of a kind, with a star, and sees what earlier ones have put there", async () => {
    const seen: string[] = [];
    const { values } = await trace(model, TEXT, {
      places: ["h.1.attn.head.*", "h.1.attn.y"],
      ablate: ["h.*.attn.head.2"],
      hooks: {
        "h.*.attn.head.*": (value, { name }) => {
          seen.push(name);
          return name.endsWith("3") ? value.add(1) : undefined;
        },
        "h.1.attn.y": (value) => value.mul(2),
      },
    });
    expect(seen).toEqual(Array.from({ length: 16 }, (_, i) => `h.${i >> 2}.attn.head.${i & 3}`));
    const plain = (await trace(model, TEXT, { places: ["h.0.attn.y"] })).values[0]!;
    expect(plain.data.some((value) => value !== 0)).toBe(true);
    const [whole, ...heads] = values;
    expect(heads.map(({ name }) => name)).toEqual([0, 1, 2, 3].map((head) => `h.1.attn.head.${head}`));
    for (const [head, { data }] of heads.entries()) {
      const columns = whole!.data.filter((_, i) => Math.floor((i % 128) / 32) === head);
      expect(data).toEqual(columns);
      expect(data.every((value) => value === 0)).toBe(head === 2);
    }
  });

  it("applies to the passes of a generation while it is started, and to no others", async () => {
    const options = { maxTokens: 30, temperature: 0, seed: 1 } as const;
    const before = await model.generate(TEXT, options);
    const lengths: number[] = [];
    const stop = startHooks(model, {
      ablate: ["h.2.mlp.cProj"],
      hooks: { "h.0.attn.pattern": (map) => void lengths.push(map.shape[2]) },
    });
    const changed = await model.generate(TEXT, options);
    using logits = model.logits([...model.tokenizer.encode(TEXT), ...changed.ids]);
    stop();
    expect(changed.text).not.toBe(before.text);
    expect(lengths.slice(0, 4)).toEqual([7, 8, 9, 10]); // with what the KV cache holds
    const rows = await logits.data();
    for (const [i, id] of changed.ids.entries()) {
      const row = rows.subarray((6 + i) * 1024, (7 + i) * 1024);
      expect(row.indexOf(row.reduce((a, b) => Math.max(a, b)))).toBe(id);
    }
    expect(await model.generate(TEXT, options)).toEqual(before);
  });

  it("holds in scoring, whose passes take many texts, but not where it cannot", async () => {
    const texts = [TEXT, "or not", "What is the matter"];
    const stop = startHooks(model, { ablate: ["h.1.attn.head.0"] });
    const scores = await model.scoreAll(texts);
    stop();
    using logits = run(model, TEXT, { ablate: ["h.1.attn.head.0"] });
    const logprobs = await dataOf(logits.logSoftmax(-1));
    const { ids } = scores[0]!;
    expect(scores[0]!.logprobs).toEqual(ids.slice(1).map((id, t) => expect.closeTo(logprobs[t * 1024 + id]!, 5)));
    for (const [place, problem] of [
      ["logits", /^hooks: scoring makes no logits/],
      ["h.0.attn.pattern", /^hooks: attention is shown of one text at a time/],
    ] as const) {
      const stopLooking = startHooks(model, { hooks: { [place]: () => {} } });
      await expect(model.scoreAll(texts)).rejects.toThrow(problem);
      stopLooking();
    }
  });

  it("may keep what it sees, and frees what it does not keep", async () => {
    const { device } = model;
    const used = (): number => (device as WasmBackend).info().usedBytes;
    run(model, TEXT).dispose(); // fills what is cached
    const before = used();
    let kept: Tensor<readonly number[]> | undefined;
    using logits = run(model, TEXT, {
      hooks: {
        "x.2": (x) => {
          x.mul(2).add(1);
          kept = keep(new Tensor(x));
        },
        ...hookAt(`h.${3 as number}.ln1`, (x) => x.mul(2)),
      },
    });
    expect(await kept!.data()).toEqual(await dataOf(hidden(model, 1)));
    kept!.dispose();
    logits.dispose();
    await trace(model, TEXT);
    await logitLens(model, TEXT);
    await contributions(model, TEXT);
    expect(used()).toBe(before);
    expect(() => run(model, TEXT, { hooks: { "x.3": () => expect.fail("by the hook") } })).toThrow("by the hook");
    await expect(trace(model, TEXT, { hooks: { "x.3": () => expect.fail("by the hook") } })).rejects.toThrow(
      "by the hook",
    );
    expect(used()).toBe(before);
  });

  it.each<[string, Hooks, RegExp, new (...args: never[]) => Error]>([
    [
      "an unknown place",
      { "h.9.ln1": () => {} },
      /^hooks: there is no place "h\.9\.ln1" in this model; there are wte, wpe, x\.0 to x\.4, h\.0 to h\.3 followed by \.ln1, .*\.attn\.head\.0 to attn\.head\.3, .*; lnF, logits$/,
      OptionError,
    ],
    ["a star that stands for nothing", { "h.*.attn.head.*.*": () => {} } as Hooks, /there is no place/, OptionError],
    ["what is no function", { "x.0": 5 } as never, /^hooks: x\.0: expected a function, got 5$/, OptionError],
    [
      "another shape",
      { "x.0": (x) => x.slice(0, 0, 2) as never },
      /^hook of x\.0: expected \[7, 128\] or nothing, got \[2, 128\]$/,
      ShapeMismatchError,
    ],
    [
      "a promise",
      { "x.0": (async () => {}) as never },
      /^hook of x\.0: expected a float32 tensor \[7, 128\] or nothing, got a Promise$/,
      TypeError,
    ],
    [
      "another attention pattern",
      { "h.0.attn.pattern": ((x: Tensor) => x) as never },
      /^hooks: h\.0\.attn\.pattern can be read, not changed/,
      OptionError,
    ],
  ])("that has %s is refused", (_, hooks, message, type) => {
    expect(() => run(model, TEXT, { hooks })).toThrow(type);
    expect(() => run(model, TEXT, { hooks })).toThrow(message);
  });

  it("is not ignored where an option is misspelt", async () => {
    expect(() => run(model, TEXT, { hook: {} } as never)).toThrow(/^hook: there is no such option of run/);
    expect(() => run(model, TEXT, { ablate: ["h.0.attn.pattern"] })).toThrow(
      /^ablate: h\.0\.attn\.pattern can be read, not changed/,
    );
    expect(() => run(model, TEXT, { ablate: "x.0" as never })).toThrow(/^ablate: expected names of places, got "x\.0"/);
    expect(() => startHooks(model, { ablated: [] } as never)).toThrow(OptionError);
    await expect(trace(model, TEXT, { places: ["x.9"] })).rejects.toThrow(/^places: there is no place "x\.9"/);
    await expect(trace(model, TEXT, { top: 1 } as never)).rejects.toThrow(OptionError);
    await expect(logitLens(model, TEXT, { top: 0 })).rejects.toThrow(/^top: expected an integer from 1 to 1024/);
    await expect(contributions(model, TEXT, { position: 7 })).rejects.toThrow(
      /^position: expected an integer from -7 to 6/,
    );
    await expect(contributions(model, TEXT, { target: 1024 })).rejects.toThrow(TokenIdError);
    await expect(trace(model, new Array(257).fill(1))).rejects.toThrow(ContextLengthError);
    await expect(trace(model, TEXT, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  });
});

describe("places are found in", () => {
  const text = [3, 1, 4, 1, 5];
  it.each([
    ["a model with another activation", { activation: "silu" }],
    ["one without an activation", { activation: "none" }],
    ["one that scales attention otherwise", { scaleAttnWeights: false, scaleAttnByInverseLayerIdx: true }],
    ["one with an output layer of its own", { tieWordEmbeddings: false }],
    ["one of one head", { nHead: 1 }],
    ["one without blocks", { nLayer: 0 }],
  ])("%s", async (_, changes) => {
    const shape = { nLayer: 2, nHead: 2, nEmbd: 8, nPositions: 8, vocabSize: 16 };
    const base = { ...randomModel("reference", shape).config, ...changes } as GPT2Config;
    const model = initialModel(base, { seed: 3, device: "reference" });
    const looked = { model, tokenizer: { tokens: (ids: number[]) => ids.map(String) } as unknown as Tokenizer };
    const all = [...placesOf(base).keys()];
    const { values } = await trace(looked, text, { places: all });
    expect(values.map(({ name }) => name)).toEqual(all);
    const { target, logit, parts } = await contributions(looked, text, { position: 2 });
    expect(parts.reduce((sum, { logit }) => sum + logit, 0)).toBeCloseTo(logit, 5);
    const { layers } = await logitLens(looked, text, { top: 2 });
    expect(layers.at(-1)?.top[2]?.[0]?.id).toBe(target.id);
    disposeModel(model);
  });
});

describe("contributions", () => {
  it("add up to the logit, for any text, position and tokens, in any dtype", async () => {
    for (const [dtype, tolerance] of [
      ["f32", 1e-4],
      ["bf16", 1e-4],
      ["int8", 0.3],
    ] as const) {
      using model = await GPT2.load(SHAKESPEARE, { dtype });
      const id = fc.nat({ max: 1023 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(id, { minLength: 1, maxLength: 12 }),
          id,
          fc.option(id, { nil: undefined }),
          fc.nat(),
          async (ids, target, against, at) => {
            const position = at % ids.length;
            const { logit, parts } = await contributions(model, ids, { position, target, against });
            using logits = model.logits(ids);
            const row = (await logits.data()).subarray(position * 1024);
            expect(logit).toBe(row[target]! - (against === undefined ? 0 : row[against]!));
            expect(Math.abs(parts.reduce((sum, { logit }) => sum + logit, 0) - logit)).toBeLessThan(tolerance);
          },
        ),
        { numRuns: 20 },
      );
    }
  });
});

async function dataOf(tensor: Tensor<readonly number[]>): Promise<Float32Array> {
  using own = tensor;
  return await own.data();
}

function hidden(model: GPT2, block: number): Tensor<readonly number[]> {
  const { blocks, final } = model.hiddenStates(TEXT);
  for (const tensor of [...blocks.filter((_, i) => i !== block), final]) tensor.dispose();
  return blocks[block]!;
}
