// The table of the lines of model.ts, `src/look/lines.table.ts`. To write it after model.ts has changed:
//
//     npx vitest run packages/gpt2/test/look/lines.test.ts -u
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { observe, Tensor } from "@gpt2-ts/tensor";
import { afterEach, describe, expect, it } from "vitest";
import { placesOf } from "../../src/look/places.ts";
import { Where } from "../../src/look/where.ts";
import { Batch } from "../../src/model/batch.ts";
import { disposeModel } from "../../src/model/dispose.ts";
import { forward, logits, type Model } from "../../src/model/model.ts";
import { randomModel } from "../support/models.ts";

const SOURCE = readFileSync(new URL("../../src/model/model.ts", import.meta.url), "utf8").replaceAll("\r\n", "\n");
const SHAPE = { nLayer: 2, nHead: 2, nEmbd: 8, nPositions: 8, vocabSize: 16 };

const { reshape } = Tensor.prototype;
afterEach(() => {
  Tensor.prototype.reshape = reshape;
});

describe("the table of the lines of model.ts", () => {
  it("is what a real pass runs through, and of the model.ts that is here", async () => {
    await expect(table(linesOfPass())).toMatchFileSnapshot("../../src/look/lines.table.ts");
  });

  it("names lines that make a tensor of the place's shape, as their comments tell", () => {
    const model = randomModel("reference", SHAPE);
    for (const { name, axes, lines } of placesOf(model.config).values()) {
      const [text] = lines.map((line) => SOURCE.split("\n")[line - 1]!);
      const shape = name === "logits" ? "[rows, V]" : name.endsWith("cAttn") ? "[T, 3C]" : `[${axes.join(", ")}]`;
      if (/query|key|value/.test(name)) expect(text, name).toContain(`const ${name.split(".").at(-1)} = `);
      else if (/scores|pattern|head/.test(name)) expect(text, name).toContain("const y = attention(");
      else expect(text, name).toContain(`; // ${name.endsWith("cAttn") ? "3 × [T, C], out of " : ""}${shape}`);
    }
    disposeModel(model);
  });
});

/** The lines of model.ts that are running, innermost first. */
function linesRunning(): number[] {
  const { stack = "" } = new Error("to see the stack");
  const lines = Array.from(stack.matchAll(/\/model\/model\.ts:(\d+):\d+/g), ([, line]) => Number(line));
  return lines.filter((line, i) => line !== lines[i - 1]); // a function inside a line runs on that line
}

/** What runs when each place's tensor is made, in a pass of a real model. */
function linesOfPass(): Map<string, number[]> {
  const model = randomModel("reference", SHAPE);
  const found = new Map<string, number[]>();
  const note = (place: string, lines: number[]): void => {
    const key = place.replace(/^h\.\d+\./, "").replace(/^x\.[1-9]\d*$/, "x");
    const known = found.get(key);
    if (known) expect(lines, `${place}, like the block before`).toEqual(known);
    else found.set(key, lines);
  };
  Error.stackTraceLimit = 50;
  let cAttn: Tensor<readonly number[]> | undefined;
  // Queries, keys and values are views: no operation makes them.
  Tensor.prototype.reshape = function (this: Tensor<readonly number[]>, shape: never) {
    if (cAttn && this.storage === cAttn.storage && (shape as readonly number[]).length === 3) {
      const part = ["query", "key", "value"][this.offset / SHAPE.nEmbd]!;
      note(`h.0.attn.${part}`, linesRunning());
    }
    return reshape.call(this as never, shape) as never;
  } as never;
  const where = new Where(model);
  observe(
    {
      after(call, [output]) {
        const place = where.find(call);
        if (place === undefined) return;
        where.made(place, output!.storage);
        note(place, linesRunning());
        if (place.endsWith("cAttn")) cAttn = new Tensor<readonly number[]>(output as never);
      },
    },
    () => pass(model),
  );
  disposeModel(model);
  return found;
}

function pass(model: Model): void {
  using batch = new Batch(model, [{ ids: [1, 2, 3] }]);
  using x = forward(model, batch);
  logits(model, x).dispose();
}

function table(lines: ReadonlyMap<string, readonly number[]>): string {
  const hash = createHash("sha256").update(SOURCE).digest("hex");
  const rows = Array.from(lines, ([key, own]) => {
    const name = /^\w+$/.test(key) ? key : JSON.stringify(key);
    return `  ${name}: [${own.join(", ")}],\n`;
  });
  return `// Written by test/look/lines.test.ts from a pass of the model, which says how; do not edit.

/** The SHA-256 of the model.ts that the lines are of. */
export const MODEL_HASH = "${hash}";

/** Lines of model.ts: the one that makes a place's tensor, then those that it was called from. */
export const MODEL_LINES = {
${rows.join("")}} as const;

export type LineKey = keyof typeof MODEL_LINES;
`;
}
