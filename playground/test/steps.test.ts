import { describe, expect, it } from "vitest";
import { placesOf } from "../../packages/gpt2/src/look/places.ts";
import { blockOf, inBlock, nextBlock, stepAt, stepsOf } from "../src/code/steps.ts";

const config = { nLayer: 3, nHead: 2, nEmbd: 8, nInner: 32, vocabSize: 16, nPositions: 8 } as never;
const steps = stepsOf(placesOf(config).values(), 1);

describe("the steps of a pass", () => {
  it("are its lines in the order in which they run, with the tensors of each", () => {
    expect(steps.map(({ main }) => main.name).filter((name) => !/^h\.[12]/.test(name))).toEqual([
      "x.0",
      "h.0.ln1",
      "h.0.attn.cAttn",
      "h.0.attn.query",
      "h.0.attn.key",
      "h.0.attn.value",
      "h.0.attn.y",
      "h.0.attn.cProj",
      "h.0.attended",
      "h.0.ln2",
      "h.0.mlp.hidden",
      "h.0.mlp.cProj",
      "x.1",
      "x.2",
      "x.3",
      "lnF",
      "logits",
    ]);
    expect(steps[0]!.places.map(({ name }) => name)).toEqual(["wte", "wpe", "x.0"]);
    expect(steps[6]!.places.map(({ name }) => name)).toEqual([
      "h.0.attn.scores",
      "h.0.attn.pattern",
      "h.0.attn.y",
      "h.0.attn.head.1",
    ]);
    for (const step of steps) expect(new Set(step.places.map(({ lines }) => lines.join())).size).toBe(1);
  });

  it("have every place once, but for other heads", () => {
    const names = steps.flatMap(({ places }) => places.map(({ name }) => name));
    expect(names).toEqual([...placesOf(config).keys()].filter((name) => !name.endsWith("head.0")));
  });

  it("belong to blocks, from one to the next", () => {
    expect(steps.map(({ block }) => block)).toEqual([
      undefined,
      ...[0, 1, 2].flatMap((block) => Array.from({ length: 12 }, () => block)),
      undefined,
      undefined,
    ]);
    const starts = [nextBlock(steps, 0)];
    while (starts.at(-1) !== steps.length - 1) starts.push(nextBlock(steps, starts.at(-1)!));
    expect(starts.map((at) => steps[at]!.main.name)).toEqual(["h.0.ln1", "h.1.ln1", "h.2.ln1", "lnF", "logits"]);
    expect(["wte", "x.0", "x.1", "h.2.ln1", "lnF"].map(blockOf)).toEqual([undefined, undefined, 0, 2, undefined]);
  });

  it("are found by place, of whatever head, and in another block", () => {
    for (const [at, { places }] of steps.entries()) for (const { name } of places) expect(stepAt(steps, name)).toBe(at);
    expect(stepAt(steps, "h.1.attn.head.0")).toBe(stepAt(steps, "h.1.attn.y"));
    expect(stepAt(steps, "h.9.ln1")).toBe(0);
    expect(["h.0.ln1", "x.1", "x.0", "lnF"].map((place) => inBlock(place, 2))).toEqual([
      "h.2.ln1",
      "x.3",
      "x.0",
      "lnF",
    ]);
  });
});
