import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nextToken, type SamplingOptions } from "../../../src/generate/sampling.ts";

interface Fixture {
  readonly previous: readonly number[];
  readonly promptLength: number;
  /** null stands for -Infinity. */
  readonly rows: Readonly<Record<string, readonly (number | null)[]>>;
  readonly cases: readonly {
    readonly row: string;
    readonly options: SamplingOptions;
    /** Where it is not the usual one. */
    readonly previous?: readonly number[];
    readonly ids: readonly number[];
    readonly probabilities: readonly number[];
  }[];
}

const fixture = JSON.parse(
  readFileSync(new URL("fixtures/huggingface.json", import.meta.url), "utf8"),
) as unknown as Fixture;

describe("the distribution of the next token equals that of Hugging Face's logits processors", () => {
  for (const [name, row] of Object.entries(fixture.rows)) {
    const cases = fixture.cases.filter((item) => item.row === name);
    const logits = Float32Array.from(row, (value) => value ?? Number.NEGATIVE_INFINITY);

    it(`for ${cases.length} combinations of options on the row "${name}"`, () => {
      expect(cases.length).toBeGreaterThan(30);
      for (const { options, previous = fixture.previous, ids, probabilities } of cases) {
        const result = nextToken(logits, options, previous, fixture.promptLength);
        const possible = [...result.ids.keys()].filter((i) => result.probabilities[i]! > 0);
        const label = JSON.stringify(options);
        expect(
          possible.map((i) => result.ids[i]),
          label,
        ).toEqual(ids);
        for (const [at, i] of possible.entries()) {
          expect(Math.abs(result.probabilities[i]! / probabilities[at]! - 1), label).toBeLessThan(1e-11);
        }
      }
    });
  }
});
