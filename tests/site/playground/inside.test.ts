import { GPT2 } from "@gpt2-ts/gpt2";
import { shownToken } from "@gpt2-ts/gpt2/draw";
import { contributions, logitLens, startHooks, type TracedValue, trace } from "@gpt2-ts/gpt2/look";
import { afterAll, beforeAll, expect, test } from "vitest";
import { matrixOf, rowOf } from "../../../playground/src/code/values.ts";
import { bitsOf, shownBits, shownNumber, shownShare, signedNumber } from "../../../playground/src/heat/numbers.ts";
import { repository } from "../../browser/support/paths.ts";
import { inBothBrowsers } from "./open-playground.ts";

const TEXT = "The girl\nlooked at the bear";
const [TOKEN, HEAD] = [5, 3];
/** Numbers of a row that the page writes out. */
const WRITTEN = 8;
const CODE = ".value h3 code";
const NUMBERS = ".row-numbers .digits";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(repository("weights/stories"), { deterministic: true });
});
afterAll(() => model?.dispose());

/** The first numbers of the row of a token, as the page writes them. */
async function numbersAt(place: string, ablate: readonly string[] = []): Promise<string[]> {
  const whole = await trace(model, TEXT, { places: [place.replace(/head\.\d+$/, "y")], ablate });
  const matrix = matrixOf({ trace: whole, rows: [0, whole.ids.length] }, place, HEAD)!;
  return Array.from(rowOf(matrix, TOKEN)!.subarray(0, WRITTEN), shownNumber);
}

const at = ({ shape, data }: TracedValue, ...indices: readonly number[]): number =>
  data[indices.reduce((offset, index, axis) => offset * shape[axis]! + index, 0)]!;

/** Bits a token, as `model.score` has them while these places are off. */
async function surprise(ablate: readonly string[]): Promise<string> {
  const stop = startHooks(model, { ablate });
  const { logprobs } = await model.score(TEXT);
  stop();
  return shownBits(logprobs.reduce((sum, logprob) => sum - logprob / Math.LN2, 0) / logprobs.length, 3);
}

inBothBrowsers("the code and the inside", { threadsIn: "firefox" }, (page) => {
  const open = (view: "code" | "inside", more = ""): Promise<void> =>
    page.open(`#view=${view}&text=${encodeURIComponent(TEXT)}&token=${TOKEN}&head=${HEAD}${more}`);
  /** A part is loaded anew when the address of its page is another one. */
  const numbersAreThoseAt = async (place: string, ablate?: readonly string[]): Promise<void> => {
    await page.expectTexts(CODE, [place]);
    await page.expectTexts(NUMBERS, await numbersAt(place, ablate));
  };

  test("model.ts runs line by line, each tensor with the library's numbers", async () => {
    await open("code");
    await numbersAreThoseAt("x.0");
    const lines: [string, string | null | undefined][] = [];
    for (const place of ["ln1", "attn.cAttn", "attn.query", "attn.key", "attn.value", "attn.y", "attn.cProj"]) {
      await page.clickNamed("Next line");
      await numbersAreThoseAt(`h.0.${place}`);
      lines.push([place, (await page.attributes(".listing [aria-current=step]", "data-line"))[0]]);
    }
    const { values } = await trace(model, TEXT);
    expect(lines).toEqual(
      lines.map(([place]) => [place, String(values.find((value) => value.name === `h.0.${place}`)!.lines[0])]),
    );
    await page.press(".listing", "ArrowDown");
    await numbersAreThoseAt("h.0.attended");
    await page.press(".code-part", "F10");
    await numbersAreThoseAt("h.0.ln2");
    await page.press(".code-part", "F11");
    await numbersAreThoseAt("h.1.ln1");
    await page.clickNamed("Back");
    await numbersAreThoseAt("x.1");
    await page.clickNamed("End");
    await page.expectTexts(CODE, ["logits"]);
    const row = rowOf(matrixOf({ trace: { ids: [], tokens: [], values }, rows: [0, 10] }, "logits", 0)!, TOKEN)!;
    await page.expectTexts(".highest td", Array.from(row.toSorted().toReversed().subarray(0, WRITTEN), shownNumber));
    await expect.poll(() => page.address()).toMatch(/place=logits/);
  });

  test("a line that makes several tensors shows each, and the number under the cursor", async () => {
    await open("code", "&layer=2&place=h.2.attn.y");
    await page.expectTexts(".tensors button", ["attn.scores", "attn.pattern", "attn.y", `attn.head.${HEAD}`]);
    const { tokens, values } = await trace(model, TEXT, { places: ["h.2.attn.pattern", "h.2.attn.y"] });
    await page.clickNamed("attn.pattern");
    await page.expectTexts(CODE, ["h.2.attn.pattern"]);
    await page.expectSome(".heat-readout");
    for (let column = 1; column <= TOKEN; column++) {
      await page.press(".heat-field", "ArrowRight");
      const share = at(values[0]!, HEAD, TOKEN, column);
      const names = [TOKEN, column].map((t) => `token ${t} “${shownToken(tokens[t]!)}”`);
      await page.expectTexts(".heat-readout", [
        `h.2.attn.pattern[${HEAD}, ${TOKEN}, ${column}] = ${shownNumber(share)}\n${names[0]}, to ${names[1]}: ${shownShare(share)}`,
      ]);
    }
    await page.clickNamed("attn.scores");
    await numbersAreThoseAt("h.2.attn.scores");
    await page.clickNamed(`attn.head.${HEAD}`);
    await numbersAreThoseAt(`h.2.attn.head.${HEAD}`);
    await page.press(".heat-field", "ArrowUp");
    await page.press(".heat-field", "Enter");
    await page.expectTexts(".row-numbers .label:first-child", [
      `Token ${TOKEN - 1} “${shownToken(tokens[TOKEN - 1]!)}”`,
    ]);
  });

  test("attention, lens, contributions and probabilities are the library's to the last digit shown", async () => {
    await open("inside");
    const { tokens, values } = await trace(model, TEXT, { places: ["h.0.attn.pattern"] });
    const told = (column: number): string => {
      const [from, to] = [TOKEN, column].map((t) => `${t} “${shownToken(tokens[t]!)}”`);
      return `Token ${from} attends to ${to}: ${shownShare(at(values[0]!, HEAD, TOKEN, column))}`;
    };
    await page.expectTexts(".heat-readout", [/^Token 5 .* attends to/]);
    await page.press(".heat-field", "Home");
    for (let column = 0; column <= TOKEN; column++) {
      await page.expectTexts(".heat-readout", [told(column)]);
      await page.press(".heat-field", "ArrowRight");
    }
    await page.expectTexts(".heat-readout", [/does not see token 6 .*, which comes later\.$/]);

    const { layers } = await logitLens(model, TEXT);
    const best = layers.flatMap(({ top }) => top.map(([first]) => first!));
    await page.expectTexts(
      ".lens tbody td .said",
      best.map(({ token }) => shownToken(token)),
    );
    await page.expectTexts(
      ".lens tbody td small",
      best.map(({ probability }) => shownShare(probability)),
    );
    const next = layers.at(-1)!.top[TOKEN]!;
    await page.expectTexts(
      ".next-tokens .probability",
      next.map(({ probability }) => shownShare(probability)),
    );
    await page.expectTexts("[aria-label='Surprise now']", [await surprise([])]);

    const { logit, parts } = await contributions(model, TEXT, { position: TOKEN });
    await page.expectTexts(".sum output", [signedNumber(logit, 4)]);
    const inTable = parts.filter(({ part }) => part.startsWith("h."));
    const others = ["wte", "wpe", "lnF.bias"].map((name) => parts.find(({ part }) => part === name)!);
    await page.expectTexts(
      ".contributions td",
      [...inTable, ...others].map((part) => signedNumber(part.logit)),
    );
    const rather = next[1]!.id;
    await page.fill(".panel .pickers label:nth-child(2) select", String(rather));
    const difference = await contributions(model, TEXT, { position: TOKEN, against: rather });
    await page.expectTexts(".sum output", [signedNumber(difference.logit, 4)]);
  });

  test("heads and MLPs are switched off: surprise, next tokens and values are those of the library without them", async () => {
    await open("inside");
    const whole = await surprise([]);
    await page.expectTexts("[aria-label='Surprise now']", [whole]);
    await page.expectSome("[role=switch]");
    const off = ["h.0.attn.head.3"];
    await page.click("[role=switch][aria-label='Head 3 of layer 0']", 0);
    await page.expectTexts("[aria-label='Surprise now']", [await surprise(off)]);
    await page.expectTexts("[aria-label='Surprise of the whole model']", [whole]);
    const stop = startHooks(model, { ablate: off });
    const { logprobs } = await model.score(TEXT);
    stop();
    const mean = logprobs.reduce((sum, logprob) => sum + bitsOf(Math.exp(logprob)), 0) / logprobs.length;
    await page.expectTexts(".legend > span:last-child", [new RegExp(`${shownBits(mean)} on average`)]); // beside the text, too
    off.push("h.2.mlp.cProj");
    await page.click("[role=switch][aria-label='MLP of layer 2']", 0);
    await page.expectTexts("[aria-label='Surprise now']", [await surprise(off)]);
    const { layers } = await logitLens(model, TEXT, { ablate: off });
    const next = layers.at(-1)!.top[TOKEN]!;
    await page.expectTexts(
      ".next-tokens:last-child .probability",
      next.map(({ probability }) => shownShare(probability)),
    );
    await expect.poll(() => page.address()).toContain("off=h.0.attn.head.3%2Ch.2.mlp.cProj");

    const address = new URL(await page.address());
    await page.open(address.hash);
    await page.expectTexts("[aria-label='Surprise now']", [await surprise(off)]);
    await page.clickNamed("Code", "[role=tab]");
    await page.expectTexts(".off-chip", [/^head 3 of layer 0/, /^MLP of layer 2/]);
    await page.expectSome(CODE);
    await page.clickNamed("End");
    await page.clickNamed("Back");
    await numbersAreThoseAt("lnF", off);
    await page.clickNamed("Switch all on");
    await numbersAreThoseAt("lnF");
    await page.expectNone(".off-bar");
  });

  test("no text, one token, a whole context, and places of another model are no trouble", async () => {
    await open("inside", "&layer=77&place=h.9.ln1&off=h.9.attn.head.1,h.0.mlp.cProj");
    await page.expectSome(".heat-readout");
    await page.fill("#text", "");
    await page.expectTexts(".nothing", [/^The text is empty/]);
    await page.fill("#text", "O");
    await page.expectTexts(".surprise-sum", [/^One token alone has nothing before it/]);
    await page.expectTexts(".heat-readout", ["Token 0 “O” attends to 0 “O”: 100.00 %"]);
    await page.clickNamed("Code", "[role=tab]");
    await page.expectTexts(".value .sizes", [/= \[1, 160\]$/]);
    await page.clickNamed("Inside", "[role=tab]");
    await page.fill("#text", " so".repeat(300));
    await page.fill("#text", " to".repeat(300)); // what was asked of the other text is dropped
    await page.expectTexts(".heat-readout", [/^Token 255 /]);
    await page.expectTexts(".lens tfoot td:last-child", ["?"]);
    await expect.poll(async () => (await page.texts(".lens thead button")).length).toBe(32);
    await expect.poll(async () => (await page.texts(".heads .head")).length, { timeout: 30_000 }).toBe(25);
  });
});
