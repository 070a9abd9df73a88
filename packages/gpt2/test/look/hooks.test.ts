import { fromData, keep, linear, ShapeMismatchError, Tensor } from "@gpt2-ts/tensor";
import { OptionError } from "@gpt2-ts/tensor/options";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GPT2 } from "../../src/gpt2.ts";
import { type Hooks, placesOf, run, startHooks, trace } from "../../src/look/index.ts";
import { forward } from "../../src/model/model.ts";
import { Batch } from "../../src/model/batch.ts";
import { initialModel } from "../../src/model/initialize.ts";
import { largestDifference, randomModel, SHAKESPEARE } from "../support/models.ts";

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
          if (model.model.cacheDtype !== "f32") for (const name of Object.keys(hooks)) if (name.endsWith("scores")) delete hooks[name];
          expect(await logitsWith(hooks as Hooks)).toEqual(plain);
          expect(seen.size).toBe(Object.keys(hooks).length);
        }
      });

      it("switch a head off: as if its rows of cProj were zeros, the bias kept", async () => {
        const { sizes, weights } = model.model;
        const { D, C } = sizes;
        const { weight, bias } = weights.h[2]!.attn.cProj;
        if (weight.storage.packed?.encoding.name === "int8") return; // its products round heads together
        const { values } = await trace(model, TEXT, { places: ["h.2.attn.cProj", "h.2.attn.y"], ablate: ["h.2.attn.head.1"] });
        const zeroed = (await weight.data()).slice();
        zeroed.fill(0, D * C, 2 * D * C);
        const y = (await trace(model, TEXT, { places: ["h.2.attn.y"] })).values[0]!;
        const T = y.shape[0]!;
        using x = fromData(y.data, [T, C], { device });
        using without = fromData(zeroed, [C, C], { device });
        using packed = without.pack(model.model.weights.h[2]!.attn.cProj.weight.storage.packed ? ((dtypes as { dtype?: "bf16" }).dtype ?? "f32") : "f32");
        using expected = linear(x, packed as Tensor<[C, C]>, bias);
        expect(values[1]!.data).toEqual(await expected.data());
      });
    });
  }
}
void [keep, ShapeMismatchError, OptionError, fc, startHooks, forward, Batch, initialModel, largestDifference, randomModel];
