import { GPT2, parameterCount } from "@gpt2-ts/gpt2";
import { newConfig } from "@gpt2-ts/gpt2/train";
import { beforeAll, expect, test } from "vitest";
import { openBytes } from "../../../packages/gpt2/src/checkpoint/torch/file-bytes.ts";
import { checkEntry, readZipDirectory } from "../../../packages/gpt2/src/checkpoint/torch/zip.ts";
import { bits, bitsOf, count } from "../../../playground/src/format.ts";
import { learn } from "../../../playground/src/train/learn.ts";
import type { Beginning, FolderFiles } from "../../../playground/src/train/protocol.ts";
import { houseThatJackBuilt } from "../../../playground/src/train/texts.ts";
import { inBothBrowsers } from "./open-playground.ts";

const TEXT = houseThatJackBuilt();
const PROMPT = "This is the cat";
const TINY = { layers: 1, heads: 2, channels: 32, context: 32, vocabulary: 300, sequences: 4, rate: 0.01, seed: 3 };
const settings = { ...TINY, steps: 20 };
const ADDRESS = `#view=train&${Object.entries(settings)
  .map(([name, value]) => `train.${name}=${value}`)
  .join("&")}`;
const FILES = ["config.json", "merges.txt", "model.safetensors", "vocab.json"];

/** What the same training gives in Node. */
interface Expected {
  readonly files: FolderFiles;
  readonly beginning: Beginning;
  readonly samples: readonly string[];
  readonly losses: readonly number[];
  readonly heldOut: readonly number[];
}

async function inNode(): Promise<Expected> {
  let files: (() => Promise<FolderFiles>) | undefined;
  let beginning: Beginning | undefined;
  const [samples, losses, heldOut]: [string[], number[], number[]] = [[], [], []];
  await learn(
    { text: TEXT, prompt: PROMPT, settings },
    {
      signal: new AbortController().signal,
      betweenSteps: async () => {},
      onModel: (made) => {
        files = made;
      },
      report(message) {
        if (message.type === "begin") beginning = message;
        else if (message.type === "sample") samples.unshift(message.prompt + message.text);
        else if (message.type !== "progress") return;
        else if (message.progress.type === "step") losses.push(message.progress.loss);
        else heldOut.push(message.progress.heldOutLoss!);
      },
    },
  );
  return { files: await files!(), beginning: beginning!, samples, losses, heldOut };
}

/** The files in a zip, by path. */
async function unzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const file = await openBytes(new Blob([bytes]), "the download", undefined);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const entry of (await readZipDirectory(file)).values()) {
    await checkEntry(file, entry);
    files.set(entry.name, new Uint8Array(await file.read(entry.offset, entry.size)));
  }
  return files;
}

let expected: Expected;
beforeAll(async () => {
  expected = await inNode();
});

inBothBrowsers("training in the playground", { threadsIn: "chromium" }, (page) => {
  beforeAll(() => page.open(ADDRESS));

  /** The number of that name. */
  const number = async (name: string): Promise<string | undefined> => {
    const names = await page.texts(".train-numbers dt");
    return (await page.texts(".train-numbers dd"))[names.indexOf(name)];
  };

  test("says what it would take, and refuses what cannot be", async () => {
    await page.expectSome(".train-part");
    await page.clickNamed("The House That Jack Built");
    await page.expectTexts("[aria-label='Text to learn']", [TEXT]);
    const config = newConfig({ ...settings, vocabSize: settings.vocabulary });
    await page.expectTexts(".train-estimate strong", [count(parameterCount(config)), /^\d+\.\d MB$/]);

    await page.fill("#train-heads", "3");
    await page.expectTexts("[role=alert]", ["heads: 32 channels cannot be shared by 3 heads"]);
    await page.fill("#train-heads", "25");
    await page.fill("#train-channels", "1600");
    await page.fill("#train-layers", "48");
    await page.expectTexts("[role=alert]", [/^.*training this model takes about 2\d\.\d GB .* holds 4\.3 GB/]);
    await page.expectAttributes(".train-course .main", "disabled", [""]);
    for (const field of ["layers", "heads", "channels"] as const) {
      await page.fill(`#train-${field}`, String(settings[field]));
    }
    await page.fill("#train-steps", "0");
    await page.expectTexts("#train-steps-note", ["from 1 to 100000"]);
    await page.expectAttributes(".train-course .main", "disabled", [""]);
    await page.fill("#train-steps", "20");
    await page.expectNone("[role=alert]");
  });

  test("pauses, goes on, and stops", async () => {
    await page.fill("#train-steps", "100000");
    await page.clickNamed("Train", ".train-course button");
    await expect.poll(() => number("Step"), { timeout: 40_000 }).toMatch(/^[1-9]/);
    await page.clickNamed("Pause");
    await page.expectTexts(".train-state", ["Paused", ""]);
    const at = await number("Step");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await number("Step")).toBe(at);
    await page.clickNamed("Go on");
    await expect.poll(() => number("Step"), { timeout: 40_000 }).not.toBe(at);
    await page.clickNamed("Stop");
    await page.expectTexts(".train-state", ["Stopped", ""]);
    await page.fill("#train-steps", "20");
  });

  test("learns: the loss falls, and what it writes is what the same training writes in Node", async () => {
    await page.clickNamed("Train anew");
    await page.expectTexts(".train-state", ["Finished", ""]);
    const { beginning, losses, heldOut, samples } = expected;
    expect(await number("Step")).toBe("20 of 20");
    expect(await number("Text")).toBe(`${count(beginning.trainTokens)} tokens`);
    expect(await number("Vocabulary")).toBe(String(beginning.vocabulary));
    expect(await number("Loss")).toBe(losses.at(-1)!.toFixed(2));
    expect(await number("Held-out loss")).toBe(heldOut.at(-1)!.toFixed(2));
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 1);
    expect(await page.texts(".train-samples p")).toEqual(samples.map((sample) => sample.trim()));
    expect((await page.attributes(".loss-chart svg", "aria-label"))[0]).toContain(losses.at(-1)!.toFixed(2));
  });

  test("saves a folder that the library loads: bit for bit the model of the same training in Node", async () => {
    await page.keepDownloads();
    await page.clickNamed("Download as a zip");
    const { name, bytes } = await page.download();
    expect(name).toBe("the-house-that-jack-built-step-20.zip");
    const files = await unzipped(bytes);
    const folder = name.slice(0, -".zip".length);
    expect([...files.keys()].sort()).toEqual(FILES.map((file) => `${folder}/${file}`));
    for (const file of FILES) {
      const wanted = Buffer.from(await expected.files[file]!.arrayBuffer());
      expect(wanted.equals(files.get(`${folder}/${file}`)!), file).toBe(true);
    }
  });

  test("is used by the other parts of the page", async () => {
    await page.clickNamed("Use it here");
    await page.expectTexts(".running-name", ["The House That Jack Built, step 20"]);
    await page.clickNamed("Text", "[role=tab]");
    await page.fill("#text", PROMPT);
    using model = await GPT2.load(expected.files, { deterministic: true });
    const { logprobs } = await model.score(PROMPT);
    const surprises = logprobs.map((logprob) => `${bits(bitsOf(logprob))} bits of surprise`);
    await expect
      .poll(
        async () => {
          const labels = await page.attributes(".tokens .token:not(.next)", "aria-label");
          return labels.map((label) => label?.replace(/^.*, /s, ""));
        },
        { timeout: 40_000 },
      )
      .toEqual(["given", ...surprises]);
  });

  test("says plainly why a text cannot be learned", async () => {
    await page.clickNamed("Train", "[role=tab]");
    await page.expectSome(".train-part");
    await page.fill("[aria-label='Text to learn']", "Too short a text.");
    await page.clickNamed("Train anew");
    await page.expectTexts("[role=alert]", [/the text has \d+ tokens to learn from; sequences of 32 need at least 33/]);
    await page.expectTexts(".train-course .main", ["Train anew"]);
  });
});
