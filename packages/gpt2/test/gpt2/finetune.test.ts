import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TokenIdError } from "../../src/errors.ts";
import { GPT2 } from "../../src/gpt2.ts";
import type { FromPretrainedOptions } from "../../src/load-options.ts";
import { useHub } from "../hub/hub-fixture.ts";
import { largestDifference, scriptedModel } from "../support/models.ts";

const FOLDER = new URL("../checkpoint/fixtures/finetune/", import.meta.url);
const files = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER))]));

// Made by checkpoint/oracle/make_finetune.py with Hugging Face's transformers, in float64.
const expected: {
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly text: string;
  readonly vocabSize: { readonly tokenizer: number; readonly model: number };
  readonly last: readonly number[];
  readonly largest: readonly number[];
} = JSON.parse(readFileSync(new URL("../finetune.json", FOLDER), "utf8"));

const SIZES =
  "vocab_size is 384, but the tokenizer's is 325; ids from 325 have no token: they decode to nothing, and are never drawn";

async function expectSame(
  load: (options: Pick<FromPretrainedOptions, "device" | "onWarning">) => Promise<GPT2>,
): Promise<void> {
  const warnings: string[] = [];
  using model = await load({ device: "reference", onWarning: (warning) => warnings.push(warning) });
  expect(warnings).toEqual([expect.stringMatching(/config\.json: /)]);
  expect(warnings[0]).toContain(SIZES);
  for (const { text, ids } of expected.texts) {
    expect(model.tokenizer.encode(text, { allowedSpecial: "all" })).toEqual(ids);
  }
  const ids = model.tokenizer.encode(expected.text, { allowedSpecial: "all" });
  using logits = model.logits(ids);
  const values = await logits.data();
  const vocabSize = expected.vocabSize.model;
  expect(largestDifference(values.slice(-vocabSize), expected.last)).toBeLessThan(1e-5);
  const largest = ids.map((_, row) => Math.max(...values.subarray(row * vocabSize, (row + 1) * vocabSize)));
  expect(largestDifference(largest, expected.largest)).toBeLessThan(1e-5);
}

describe("a fine-tune saved by transformers 5", () => {
  const hub = useHub();
  let server: Server;
  let url: string;
  beforeEach(async () => {
    server = createServer((request, response) => {
      const file = files.get(request.url!.slice("/model/".length));
      if (file === undefined) return response.writeHead(404).end();
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      if (first === undefined) return response.writeHead(200, { "content-length": file.length }).end(file);
      const part = file.subarray(Number(first), Number(last) + 1);
      const range = `bytes ${first}-${Number(first) + part.length - 1}/${file.length}`;
      return response.writeHead(206, { "content-range": range, "content-length": part.length }).end(part);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it("loads from its folder", () => expectSame((options) => GPT2.load(fileURLToPath(FOLDER), options)));

  it("loads from a URL", () => expectSame((options) => GPT2.load(url, options)));

  it("loads from files by name", () =>
    expectSame((options) => {
      const blobs = [...files].map(([name, bytes]) => [name, new Blob([Uint8Array.from(bytes)])]);
      return GPT2.load(Object.fromEntries(blobs), options);
    }));

  it("loads from the hub, also offline once it was downloaded", async () => {
    hub.server.commit("org/tuned", Object.fromEntries(files));
    const from = { endpoint: hub.server.url, cacheDir: hub.cacheDir };
    await expectSame((options) => GPT2.fromPretrained("org/tuned", { ...options, ...from }));
    await hub.server.stop();
    await expectSame((options) => GPT2.fromPretrained("org/tuned", { ...options, ...from, offline: true }));
  });
});

describe("a vocabulary that is larger in the model than in the tokenizer", () => {
  const load = () => GPT2.load(fileURLToPath(FOLDER), { device: "reference", onWarning: () => {} });

  it("is drawn from as far as there are tokens, however flat the distribution", async () => {
    using model = await load();
    for (const options of [{ temperature: 1e6 }, { temperature: 1e6, topK: 383 }, { temperature: 1e6, topP: 0.99 }]) {
      const { ids, text } = await model.generate("a", { ...options, maxTokens: 60, seed: 4, stopAtEndOfText: false });
      expect(Math.max(...ids)).toBeLessThan(325);
      expect(new Set(ids).size).toBeGreaterThan(40);
      expect(text).toBe(model.tokenizer.decode(ids));
    }
  });

  it("gives the likeliest token that there is, where the likeliest id has none", async () => {
    using tuned = await load();
    using model = new GPT2(scriptedModel([350, 7, 350, 0], 384), tuned.tokenizer);
    const { ids } = await model.generate([5], { temperature: 0, maxTokens: 3 });
    expect(ids).toEqual([1, 7, 1]); // the first of all that the script does not name
  });

  it("has ids without a token that can be scored, put into a prompt and decoded to nothing", async () => {
    using model = await load();
    const { logprobs, tokens } = await model.score([1, 350, 2]);
    expect(tokens).toEqual(['"', "", "#"]);
    expect(logprobs.every((logprob) => logprob < 0 && logprob > -20)).toBe(true);
    const { ids } = await model.generate([1, 350], { maxTokens: 2, seed: 1, stopAtEndOfText: false });
    expect(ids).toHaveLength(2);
    await expect(model.score([1, 384])).rejects.toThrow(TokenIdError);
    await expect(model.generate([384])).rejects.toThrow("token id 384 (at index 0) is outside the vocabulary");
  });
});

describe("a vocabulary that is smaller in the model than in the tokenizer", () => {
  it("is told of, and a text with one of the other tokens is refused", async () => {
    const config = JSON.parse(String(files.get("config.json")));
    const added = JSON.stringify(Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`<t${i}>`, 325 + i])));
    const blobs = [...files, ["added_tokens.json", Buffer.from(added)] as const].map(([name, bytes]) => {
      return [name, new Blob([Uint8Array.from(bytes)])];
    });
    const warnings: string[] = [];
    const onWarning = (warning: string) => warnings.push(warning);
    using model = await GPT2.load(Object.fromEntries(blobs), { device: "reference", onWarning });
    expect(config.vocab_size).toBe(384);
    expect(warnings).toEqual([
      "config.json: vocab_size is 384, but the tokenizer's is 395; text with the tokens from 384 on cannot be put into the model",
    ]);
    expect((await model.score("a<t58>")).logprobs).toHaveLength(1);
    await expect(model.score("a<t59>")).rejects.toThrow("token id 384 (at index 1) is outside the vocabulary");
  });

  it("frees the weights if the listener throws", async () => {
    const reason = new Error("no warnings, please");
    const loading = GPT2.load(fileURLToPath(FOLDER), {
      device: "reference",
      onWarning: () => {
        throw reason;
      },
    });
    await expect(loading).rejects.toBe(reason);
  });
});
