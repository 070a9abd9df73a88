import { readFile } from "node:fs/promises";
import { GPT2, mergeSteps, nextToken, type SamplingOptions, type Score } from "@gpt2-ts/gpt2";
import { shownToken } from "@gpt2-ts/gpt2/draw";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HubServer } from "../../../packages/gpt2/test/hub/hub-server.ts";
import { bits, bitsOf, percent } from "../../../playground/src/format.ts";
import { barsOf, stagesOf } from "../../../playground/src/text/stages.ts";
import { repository } from "../../browser/support/paths.ts";
import { inBothBrowsers, type Playground } from "./open-playground.ts";

const MODEL = repository("weights/stories");
/** What the page chooses until it is told otherwise. */
const SAMPLING = { temperature: 0.8, topP: 0.95, minP: 0, repetitionPenalty: 1 } as const;
const BARS = 12;
/** Its last token is made by several merges. */
const TEXT = "The bear\nlooked up, and the little girl looked";
const STRIP = ".tokens .token:not(.next)";

let model: GPT2;
let score: Score;
beforeAll(async () => {
  model = await GPT2.load(MODEL, { deterministic: true });
  score = await model.score(TEXT, { top: 6 });
});
afterAll(() => model?.dispose());

const shown = (id: number): string => shownToken(model.tokenizer.tokens([id])[0]!);

/** What the bars say of the token behind some ids. */
async function barTexts(ids: readonly number[], options: SamplingOptions) {
  using context = model.context();
  const stages = stagesOf(await context.append(ids), options, ids);
  return barsOf(stages[0]!.distribution, stages.at(-1)!.distribution, BARS).map(({ id, before, after }) => ({
    token: shown(id),
    before: percent(before),
    after: after === 0 ? "—" : percent(after),
  }));
}

async function expectBars(page: Playground, ids: readonly number[], options: SamplingOptions): Promise<void> {
  const bars = await barTexts(ids, options);
  const column = (name: keyof (typeof bars)[number]) => bars.map((bar) => bar[name]);
  await page.expectTexts(".next-token .bar-token", column("token"));
  await page.expectTexts(".next-token [data-value=before]", column("before"));
  await page.expectTexts(".next-token [data-value=after]", column("after"));
}

inBothBrowsers("the playground", { threadsIn: "chromium" }, (page, isolated) => {
  beforeAll(() => page.open());

  test("has the shipped model at once, and says what runs", async () => {
    await page.expectSome(".bars.two li");
    expect(await page.isolated()).toBe(isolated);
    await page.expectTexts(".running", [isolated ? /^Storiesf32 · \d+ threads/ : /^Storiesf32 · 1 thread( ·|$)/]);
    await page.clickNamed("Models", "[role=tab]");
    await page.expectTexts("[data-value=first-text]", [/^\d+\.\d+ s$/]);
    expect((await page.texts(".facts dd")).join("\n")).toMatch(
      /5 layers of 5 heads.*\nf32; .*\n[^\n]*\n\d+\.\d MB in use/,
    );
    await page.clickNamed("Text", "[role=tab]");
  });

  test("colours what is typed by its surprise, as the library has it to the last digit shown", async () => {
    await page.fill("#text", TEXT);
    const surprises = score.logprobs.map((logprob) => `${bits(bitsOf(logprob))} bits of surprise`);
    await expect
      .poll(async () => (await page.attributes(STRIP, "aria-label")).map((label) => label?.replace(/^.*, /s, "")), {
        timeout: 30_000,
      })
      .toEqual(["given", ...surprises]);
    expect(await page.texts(STRIP)).toEqual(score.tokens.map(shownToken));
    const mean = score.logprobs.reduce((sum, each) => sum + bitsOf(each), 0) / score.logprobs.length;
    await page.expectTexts(".mean", [`${bits(mean)} on average: as unsure as among ${bits(2 ** mean)} equal choices`]);
  });

  test("shows a token's id, bytes, merges and probability, and the five others", async () => {
    const index = score.tokens.indexOf(" looked");
    const id = score.ids[index]!;
    await page.click(STRIP, index);
    await page.expectTexts(".big-token", [shown(id)]);
    const logprob = score.logprobs[index - 1]!;
    expect(await page.texts(".facts dd")).toEqual([
      String(id),
      Buffer.from(" looked")
        .toString("hex")
        .replace(/..(?=.)/g, "$& "),
      percent(Math.exp(logprob)),
      `${bits(bitsOf(logprob))} bits`,
    ]);
    const merges = mergeSteps(model.tokenizer, id);
    expect(await page.texts(".merges li .quiet")).toEqual([
      "its bytes",
      ...merges.map(({ rank }) => `merge ${rank + 1}`),
    ]);
    expect(await page.texts(".merges li:last-child .parts span")).toEqual([shown(id)]);
    const rivals = score.alternatives![index - 1]!.filter((other) => other.id !== id).slice(0, 5);
    const rows = [...rivals, { token: " looked", logprob }].sort((a, b) => b.logprob - a.logprob);
    expect(await page.texts(".beaten .bar-token")).toEqual(rows.map((row) => shownToken(row.token)));
    expect(await page.texts(".beaten .figure")).toEqual(rows.map((row) => percent(Math.exp(row.logprob))));
    await expectBars(page, score.ids.slice(0, index), SAMPLING);
  });

  test("has bars of the next token before and after each filter, which follow the sliders", async () => {
    await page.click(".token.next");
    await expectBars(page, score.ids, SAMPLING);
    await page.fill("#sampling-temperature", "1.5");
    await page.fill("#sampling-top-k", "6");
    await expectBars(page, score.ids, { ...SAMPLING, temperature: 1.5, topK: 6 });
    using context = model.context();
    const logits = await context.append(score.ids);
    const before = nextToken(logits, { temperature: 1.5 }, score.ids);
    const after = nextToken(logits, { temperature: 1.5, topK: 6 }, score.ids);
    await page.click(".stage input", 3); // top-k
    await page.expectTexts(
      ".next-token [data-value=before]",
      barsOf(before, after, BARS).map((bar) => percent(bar.before)),
    );
    expect(await page.texts(".stage-left")).toEqual([
      "6 left",
      "off",
      "2,048 left",
      "6 left",
      expect.stringMatching(/^[1-6] left$/),
      "off",
    ]);
    await page.click(".stage input", 0);
  });

  test("takes the branch of a bar, undoes it, and writes what the library writes, at once or step by step", async () => {
    const options = { ...SAMPLING, temperature: 1.5, topK: 6 };
    const [, second] = await barTexts(score.ids, options);
    await page.click(".next-token .bar-token", 1);
    await page.expectTexts("#text", [TEXT + second!.token.replaceAll("·", " ").replaceAll("↵", "\n")]);
    await page.clickNamed("Undo");
    await page.expectTexts("#text", [TEXT]);
    await page.fill(".number:last-of-type input", "5");
    const { text, ids } = await model.generate(TEXT, { ...options, seed: 1, maxTokens: 5 });
    for (let i = 1; i <= 5; i++) {
      await page.clickNamed("One token");
      await page.expectTexts(STRIP, [...score.ids, ...ids.slice(0, i)].map(shown));
      await page.expectTexts(".editor .main", ["Continue"]);
    }
    await page.expectTexts("#text", [TEXT + text]);
    for (let i = 1; i <= 5; i++) await page.clickNamed("Undo");
    await page.expectTexts("#text", [TEXT]);
    await page.clickNamed("Continue");
    await page.expectTexts("#text", [TEXT + text]);
  });

  test("is all in its address: a link shows what its sender saw", async () => {
    await page.click(STRIP, 5);
    await expect.poll(() => page.address()).toContain("token=5");
    const address = new URL(await page.address());
    const selected = [`${STRIP}[aria-selected=true]`, "#text", ".figure", "#sampling-temperature", ".facts dd"];
    await page.expectSome(".beaten li");
    const before: string[][] = [];
    for (const each of selected) before.push(await page.texts(each));
    await page.open(address.hash);
    await page.expectTexts(".beaten .figure", before[2]!.slice(0, 6));
    for (const [i, selector] of selected.entries()) await page.expectTexts(selector, before[i]!);
    await page.open("#temperature=hot&topk=3");
    await page.expectTexts(".notices .mono", ["temperature=hot"]);
    await page.expectTexts("#sampling-top-k", ["3"]);
  });

  test("opens the second model that lies beside it, by a link and by a change of the address", async () => {
    const text = "To be, or not to be";
    const link = `#model=shakespeare&text=${encodeURIComponent(text)}`;
    using bard = await GPT2.load(repository("weights/shakespeare"), { deterministic: true });
    const isThere = async (name: string, of: GPT2) => {
      await page.expectTexts(".running-name", [name]);
      const { logprobs } = await of.score(text);
      const surprises = logprobs.map((logprob) => `${bits(bitsOf(logprob))} bits of surprise`);
      await expect
        .poll(async () => (await page.attributes(STRIP, "aria-label")).map((label) => label?.replace(/^.*, /s, "")), {
          timeout: 30_000,
        })
        .toEqual(["given", ...surprises]);
    };
    await page.open(link);
    await isThere("Shakespeare", bard);
    await page.follow(link.replace("model=shakespeare&", ""));
    await isThere("Stories", model);
    await page.follow(link);
    await isThere("Shakespeare", bard);
    expect(await page.address()).toContain("model=shakespeare");
    await page.clickNamed("Models", "[role=tab]");
    await page.clickNamed("Load", "[aria-labelledby=shipped-title] button");
    await page.expectTexts(".running-name", ["Stories"]);
    await page.clickNamed("Text", "[role=tab]");
    await isThere("Stories", model);
    await expect.poll(() => page.address()).not.toContain("model=");
    expect(await page.texts(".notices *")).toEqual([]);
  });

  test("keeps a model of a hub, and opens it without the hub; says what is wrong, with a way on", async () => {
    const hub = await HubServer.start();
    const names = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
    const files = await Promise.all(names.map(async (name) => [name, await readFile(`${MODEL}/${name}`)] as const));
    hub.commit("org/teller", Object.fromEntries(files));
    const link = `#model=org/teller&dtype=int8&hub=${encodeURIComponent(hub.url)}&text=There+was`;
    await page.open(link);
    await page.expectTexts(".notices strong", ["org/teller"]); // nothing is downloaded unasked
    await page.expectSome(".bars.two li");
    expect(hub.requests).toEqual([]);
    await page.clickNamed("Download it");
    await page.expectTexts(".running-name", ["org/teller"]);
    await page.expectTexts(".running-facts", [/^int8/]);
    await page.expectNone(".notices *");
    await page.clickNamed("Models", "[role=tab]");
    await page.expectTexts("[aria-labelledby=kept-title] li .quiet", [/^int8, 2\.\d MB$/]);

    await page.fill(".hub input[type=text]", "org/nobody");
    await page.fill(".hub input[type=url]", hub.url);
    await page.clickNamed("Download");
    await page.expectTexts("[role=alert] strong", ["org/nobody could not be loaded."]);
    expect(await page.text("[role=alert]")).toContain("org/teller is still there");
    await page.clickNamed("Dismiss");

    await hub.stop();
    await page.open(link);
    await page.expectTexts(".running-name", ["org/teller"]);
    await page.expectTexts(".running-facts", [/^int8/]);
    using int8 = await GPT2.load(MODEL, { deterministic: true, dtype: "int8" });
    const { logprobs } = await int8.score("There was");
    await page.expectAttributes(`${STRIP}:nth-child(2)`, "aria-label", [
      `blank was, ${bits(bitsOf(logprobs[0]!))} bits of surprise`,
    ]);
    await page.clickNamed("Models", "[role=tab]");
    await page.expectSome("[aria-labelledby=kept-title] li");
    await page.clickNamed("Load", "[aria-labelledby=shipped-title] button");
    await page.expectTexts(".running-name", ["Stories"]);
    await page.clickNamed("Delete");
    await page.expectNone("[aria-labelledby=kept-title] li");
  });
});
