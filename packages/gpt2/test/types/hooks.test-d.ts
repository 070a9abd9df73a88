import type { Tensor } from "@gpt2-ts/tensor";
import { expectTypeOf, test } from "vitest";
import { type Hooks, hookAt } from "../../src/look/index.ts";
import type { C, D, F, H, T, V } from "../../src/model/model.ts";

test("a hook's value has the shape of its place", () => {
  const hooks: Hooks = {
    wte: (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[T, C]>>(),
    "x.3": (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[T, C]>>(),
    "h.3.ln1": (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[T, C]>>(),
    "h.*.attn.query": (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[T, H, D]>>(),
    "h.3.attn.head.*": (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[T, D]>>(),
    "h.3.attn.pattern": (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[H, T, number]>>(),
    "h.*.mlp.hidden": (x) => x.relu().mul(2),
    "h.0.mlp.hidden": (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[T, F]>>(),
    logits: (x) => void expectTypeOf(x).toEqualTypeOf<Tensor<[number, V]>>(),
  };
  void hooks;
});

test("a name that no model has does not compile, nor a value of another shape", () => {
  const names: Hooks = {
    // @ts-expect-error it is called ln1
    "h.3.ln_1": () => {},
  };
  const shapes: Hooks = {
    // @ts-expect-error a head's output is [T, D]
    "h.3.attn.head.1": (x) => x.transpose(),
  };
  const reading: Hooks = {
    // @ts-expect-error the attention does not store it
    "h.3.attn.pattern": 5,
  };
  void [names, shapes, reading];
});

test("names may be put together at run time", () => {
  const layer: number = 3;
  const hooks: Hooks = {
    ...hookAt(`x.${layer}`, (x) => x.mul(2)),
    ...hookAt(`h.${layer}.attn.head.${layer}`, (y) => void expectTypeOf(y).toEqualTypeOf<Tensor<[T, D]>>()),
    // @ts-expect-error there is no such place
    ...hookAt(`h.${layer}.heads`, () => {}),
  };
  void hooks;
});
