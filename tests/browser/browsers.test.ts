import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HubServer } from "../../packages/gpt2/test/hub/hub-server.ts";
import { type Checks, carryOut } from "./page/orders.ts";
import { type Browser, check, type OpenPage, startBrowser } from "./support/browser.ts";
import { type BrowserName, findBrowser, howToInstall } from "./support/find-browser.ts";
import type { PageServer } from "./support/page-server.ts";
import { repository } from "./support/paths.ts";
import { startSite } from "./support/site.ts";

/** As in Node: issue 2, "Done when" 2. */
const MAX_ERROR = 7e-5;
const FINE_TUNE = "packages/gpt2/test/checkpoint/fixtures/finetune.json";

const kinds = [
  { kind: "a cross-origin isolated page", isolated: true, path: "/page.html" },
  { kind: "an ordinary page", isolated: false, path: "/page.html" },
  { kind: "a worker of an isolated page", isolated: true, path: "/page.html?worker" },
];
/** These differ by how the code gets there; the main things suffice. */
const moreKinds = [
  { kind: "a worker of an ordinary page", isolated: false, path: "/page.html?worker" },
  { kind: "a page without a bundler", isolated: true, path: "/unbundled.html" },
  { kind: "a page bundled by Vite", isolated: true, path: "/vite/index.html" },
];
type Kind = (typeof kinds)[number] & { readonly all: boolean };
const kindsIn: Readonly<Record<BrowserName, readonly Kind[]>> = {
  chromium: [...kinds.map((kind) => ({ ...kind, all: true })), ...moreKinds.map((kind) => ({ ...kind, all: false }))],
  firefox: kinds.map((kind, i) => ({ ...kind, all: i === 0 })),
};

const sites = new Map<boolean, PageServer>();
const site = (isolated: boolean) => sites.get(isolated)!;
let hub: HubServer;

beforeAll(async () => {
  for (const isolated of [true, false]) sites.set(isolated, await startSite(isolated));
  hub = await startHub();
});
afterAll(async () => {
  for (const server of sites.values()) await server.stop();
  await hub?.stop();
});

for (const name of ["chromium", "firefox"] as const) {
  const program = findBrowser(name);
  if (program !== undefined) describe(`in ${name}`, () => browserTests(name, program));
  else if (name === "chromium" && process.env["CI"]) {
    test("chromium is there", () => expect.fail(howToInstall(name)));
  } else {
    console.warn(`Tests in ${name} are skipped: ${howToInstall(name)}.`);
    describe.skip(`in ${name}`, () => test("skipped", () => {}));
  }
}

const nodeResults = new Map<string, unknown>();

/** What a check gives in Node. It is computed once: the model is the same on all servers. */
async function inNode<Name extends keyof Checks>(name: Name, ...args: Parameters<Checks[Name]>) {
  const key = JSON.stringify([name, ...args]).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "");
  if (!nodeResults.has(key)) {
    const answer = await carryOut({ id: 0, name, args });
    if ("failure" in answer) throw new Error(`${name} failed in Node: ${answer.failure}`);
    nodeResults.set(key, answer.result);
  }
  return nodeResults.get(key) as Awaited<ReturnType<Checks[Name]>>;
}

function browserTests(name: BrowserName, program: string): void {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser(name, program);
  });
  afterAll(() => browser?.close());

  describe.each(kindsIn[name])("in $kind", ({ isolated, path, all }) => {
    const isWorker = path.endsWith("worker");
    let page: OpenPage;
    let server: PageServer;
    let model: { readonly url: string };
    let reference: string;
    beforeAll(async () => {
      server = site(isolated);
      model = { url: `${server.url}/weights/shakespeare` };
      reference = `${server.url}/reference/shakespeare.safetensors`;
      page = await browser.open(server, path);
    });
    afterAll(() => page?.close());

    test("finds out what it may use", async () => {
      const { cores, threads, ...found } = await check(page, "environment");
      expect(found).toEqual({ isolated, mayWait: isolated && isWorker, hasPage: !isWorker, relaxedSimd: true });
      expect(threads).toBe(isolated && cores > 1 ? Math.min(Math.max(cores >> 1, Math.min(cores, 4)), 16) : 1);
    });

    test("reads the model by ranges, and its logits meet the float64 reference", async () => {
      server.requests.length = 0;
      for (const [prompt, length] of [
        ["A", 36],
        ["B", 256],
      ] as const) {
        const { shape, error } = await check(page, "logits", { ...model, reference, prompt });
        expect(shape).toEqual([length, 1024]);
        expect(error).toBeLessThan(MAX_ERROR);
      }
      const reads = server.requests.filter((request) => request.path.endsWith("/model.safetensors"));
      expect(reads.length).toBeGreaterThan(0);
      for (const { method, range } of reads) expect([method, range]).toEqual(["GET", expect.stringMatching(/^bytes=/)]);
    });

    test("logits have Node's bits where they are to be deterministic, with one thread and with several", async () => {
      const choice = { ...model, reference, prompt: "B", deterministic: true } as const;
      const { bits } = await inNode("logits", { ...choice, threads: 1 });
      expect((await check(page, "logits", { ...choice, as: "files" })).bits).toBe(bits);
      for (const threads of isolated ? [1, 2, 3] : [2]) {
        expect((await check(page, "logits", { ...choice, threads })).bits).toBe(bits);
      }
      const int8 = { ...choice, dtype: "int8" } as const;
      expect((await check(page, "logits", int8)).bits).toBe((await inNode("logits", int8)).bits);
    });

    test("streams the text that Node writes from the same seed, and leaves the page alive", async () => {
      const options = { seed: 7, maxTokens: 60, temperature: 0.9, topK: 50, logprobs: true };
      const choice = { ...model, deterministic: true, prompt: "To be, or not to be", options };
      const { result, pieces } = await inNode("generate", choice);
      const actual = await check(page, "generate", choice);
      expect(actual.result).toEqual(result);
      expect(actual.pieces).toEqual(pieces);
      expect(actual.pieces.join("")).toBe(result.text);
      expect(result.ids).toHaveLength(60);
      expect(actual.turns).toBeGreaterThan(5);
    });

    test("trains a model to the bits that it has in Node", async () => {
      const text = Array.from({ length: 60 }, (_, i) => `Line ${i} of a text, and line ${i + 1} follows it.\n`).join(
        "",
      );
      const expected = await inNode("training", { text, threads: 1 });
      expect(expected.losses.at(-1)).toBeLessThan(expected.losses[0]!);
      expect(await check(page, "training", { text })).toEqual(expected);
    });

    test("opens the file that Node has compressed, and writes the same", async () => {
      const choice = {
        ...model,
        deterministic: true,
        text: "To be, or not to be: that is the question. ☕ ".repeat(20),
      };
      const { file } = await inNode("compression", choice);
      expect(await check(page, "compression", { ...choice, file })).toEqual({ file, opened: choice.text });
    });

    test("looks inside the model as Node does, to the bit, and shows a picture of it", async () => {
      const choice = { ...model, deterministic: true, prompt: "To be, or not to be" };
      const { shown, ...expected } = await inNode("inside", choice);
      const { shown: width, ...found } = await check(page, "inside", choice);
      expect(found).toEqual(expected);
      expect(shown).toBeUndefined();
      if (width !== undefined) expect(width).toBe(Number(/ width="(\d+)"/.exec(found.svg)![1]));
    });

    // A worker has no import map: without a bundler it would not find the packages.
    test.skipIf(path.includes("unbundled"))("does the same with the model in a worker", async () => {
      const options = { seed: 7, maxTokens: 60, temperature: 0.9, topK: 50, logprobs: true };
      const choice = { ...model, deterministic: true, prompt: "To be, or not to be", options };
      const { result, pieces } = await inNode("generate", choice);
      const bits = await inNode("textBits", { ...model, deterministic: true });
      const { traced, lens } = await inNode("inside", { ...model, deterministic: true, prompt: choice.prompt });
      expect(await check(page, "inWorker", choice)).toEqual({
        ...{ result, pieces, bits, traced, lens },
        tokenIdError: true,
        afterwards: "DisposedError",
      });
    });

    if (!all) return;

    test("says that a worker could not be started", async () => {
      expect(await check(page, "workerError")).toEqual({
        name: "WorkerError",
        message: expect.stringMatching(/^the worker could not be started: .*gpt2-thread\.js/),
      });
    });

    test("reads a fine-tune that transformers 5 saved, from its URL and as files, with its added tokens", async () => {
      const { texts, text, last } = JSON.parse(await readFile(repository(FINE_TUNE), "utf8"));
      const choice = {
        url: `${server.url}/finetune`,
        texts: [text, ...texts.map((each: { text: string }) => each.text)],
      };
      const files = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
      for (const found of [
        await check(page, "fineTune", choice),
        await check(page, "fineTune", { ...choice, files }),
      ]) {
        expect(found.ids.slice(1)).toEqual(texts.map(({ ids }: { ids: number[] }) => ids));
        expect(Math.max(...found.last.map((logit, id) => Math.abs(logit - last[id])))).toBeLessThan(1e-5);
        expect(found.warnings).toEqual([expect.stringContaining("vocab_size is 384, but the tokenizer's is 325")]);
      }
    });

    test("stops generating when the signal says so", async () => {
      expect(await check(page, "abort", model)).toEqual({ pieces: 5, error: "AbortError" });
    });

    test("scores texts as Node does", async () => {
      const texts = ["To be, or not to be, that is the question", "to be", "café ☕ 中文 — ’tis"];
      const choice = { ...model, deterministic: true, texts };
      expect(await check(page, "score", choice)).toEqual(await inNode("score", choice));
    });

    test.each(["wasm", "reference"] as const)("ops on the %s device have Node's bits", async (device) => {
      const actual = await check(page, "ops", device);
      expect(Object.keys(actual).length).toBeGreaterThan(20);
      expect(actual).toEqual(await inNode("ops", device));
    });

    test("ops with fused multiply-adds stay close to the reference device", async () => {
      for (const [op, distance] of Object.entries(await check(page, "distances"))) {
        expect(distance, op).toBeLessThan(2e-6);
      }
    });

    test("reads safetensors from URLs, relative ones too, Blobs, Files and memory, and writes them", async () => {
      const url = `${model.url}/model.safetensors`;
      const tensor = "h.0.attn.c_attn.weight";
      const expected = Object.values(await inNode("safetensorsSources", url, undefined, tensor));
      const found = await check(page, "safetensorsSources", url, "weights/shakespeare/model.safetensors", tensor);
      expect(Object.keys(found)).toHaveLength(8);
      expect(new Set(Object.values(found))).toEqual(new Set(expected));
      expect(new Set(expected).size).toBe(1);
    });

    test("reads a model of the hub by name, from its revision and through its redirects", async () => {
      hub.requests.length = 0;
      const choice = [hub.url, { revision: "v1" }] as const;
      const { loaded, bits } = await check(page, "fromPretrained", "renamed/model", ...choice);
      expect(loaded).toBe(1);
      expect(bits).toBe(await inNode("textBits", { ...model, deterministic: true }));
      expect(hub.requests.some(({ server }) => server === "cdn")).toBe(true);
      // What it is, its header, and its 52 tensors together; three hops each, and preflights.
      expect(hub.requests.filter(({ path }) => path.endsWith("/model.safetensors")).length).toBeLessThanOrEqual(4 * 3);
      expect(hub.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    });

    test("says what is wrong with an address, a name or an option", async () => {
      expect(await check(page, "loadingError", `${server.url}/weights/none`)).toEqual({
        name: "ModelFormatError",
        message: `${server.url}/weights/none/vocab.json: there is no such file`,
      });
      expect(await check(page, "loadingError", "weights/none")).toEqual({
        name: "ModelFormatError",
        message: `${server.url}/weights/none/vocab.json: there is no such file`,
      });
      expect(await check(page, "loadingError", "file:///weights")).toMatchObject({ name: "ModelFormatError" });
      expect(await check(page, "loadingError", "http://127.0.0.1:9/weights")).toEqual({
        name: "ModelFormatError",
        message: expect.stringMatching(
          /^http:\/\/127\.0\.0\.1:9\/weights\/\w+\.json: cannot connect to 127\.0\.0\.1:9: .*CORS/,
        ),
      });
      expect(await check(page, "pretrainedError", "../etc", { endpoint: hub.url })).toMatchObject({ name: "HubError" });
      expect(await check(page, "pretrainedError", "no/such", { endpoint: hub.url })).toEqual({
        name: "HubError",
        message: `no such model: ${hub.url}/api/models/no/such/revision/main (401); check the name; private and gated models cannot be read from a page`,
      });
      expect(await check(page, "pretrainedError", "new/model", { endpoint: hub.url, cacheDir: "x" })).toEqual({
        name: "OptionError",
        message: "cacheDir: is for Node only",
      });
      expect(await check(page, "safetensorsError", `${hub.url}/none`)).toBe("http-status");
      expect(await check(page, "safetensorsError", "file:///x")).toBe("invalid-source");
    });

    if (!isolated) return;

    test("threads start, share the work without changing it, and end", async () => {
      const before = page.workers();
      const count = 4;
      const { error, ...found } = await check(page, "threads", count);
      expect(found).toEqual({ threads: count, workers: count - 1, same: true });
      expect(error).toEqual({ name: "DeviceError", message: expect.stringContaining("disposed") });
      // Some of those before may have been ending.
      await expect.poll(() => (page.workers() ?? 0) <= (before ?? 0), { timeout: 30_000 }).toBe(true);
    });

    test("a thread that fails is an error, not a hang", async () => {
      const { failure, afterwards } = await check(page, "failingWorker");
      expect(failure).toEqual({ name: "DeviceError", message: expect.stringContaining("a worker failed") });
      expect(afterwards).toEqual({
        name: "DeviceError",
        message: expect.stringContaining("create a new wasm backend"),
      });
    });
  });

  // Firefox, which passes these too, would start four times more.
  if (name !== "chromium") return;

  describe("in a page whose server", () => {
    const policy = (rest: string) => ({ "content-security-policy": `default-src 'self'; script-src 'self' ${rest}` });
    const deployments = {
      noRanges: { ranges: false },
      noWorkers: { headers: policy("'wasm-unsafe-eval'") },
      workers: { headers: policy("'wasm-unsafe-eval'; worker-src 'self' blob:") },
      noWasm: { headers: policy("") },
    };
    async function inPage<Result>(
      deployment: keyof typeof deployments,
      use: (page: OpenPage, url: string) => Promise<Result>,
    ): Promise<Result> {
      const server = await startSite(true, deployments[deployment]);
      const page = await browser.open(server, "/page.html");
      try {
        return await use(page, `${server.url}/weights/shakespeare`);
      } finally {
        await page.close();
        await server.stop();
      }
    }

    test("ignores ranges, loading says so, and files fetched whole do", async () => {
      await inPage("noRanges", async (page, url) => {
        expect(await check(page, "loadingError", url)).toMatchObject({
          message: expect.stringContaining("the server ignores range requests"),
        });
        const choice = { url, as: "files", deterministic: true } as const;
        expect(await check(page, "textBits", choice)).toBe(await inNode("textBits", choice));
      });
    });

    test("forbids workers from blobs, the error says what to allow, and one thread does", async () => {
      await inPage("noWorkers", async (page, url) => {
        const { error } = await check(page, "threadsError", 2);
        expect(error?.name).toBe("DeviceError");
        expect(error?.message).toContain("worker-src blob:");
        const choice = { url, threads: 1, deterministic: true } as const;
        expect(await check(page, "textBits", choice)).toBe(await inNode("textBits", choice));
      });
    });

    test("has the strictest policy that everything works with, threads work", async () => {
      const { workers, same } = await inPage("workers", (page) => check(page, "threads", 2));
      expect({ workers, same }).toEqual({ workers: 1, same: true });
    });

    test("forbids WebAssembly, the error says so, and the reference device does", async () => {
      await inPage("noWasm", async (page, url) => {
        const error = await check(page, "loadingError", url);
        expect(error?.name).toBe("DeviceError");
        expect(error?.message).toMatch(/^wasm: the kernels cannot be compiled here: .*(unsafe-eval|CSP)/s);
        expect(await check(page, "ops", "reference")).toEqual(await inNode("ops", "reference"));
      });
    });
  });
}

/** A hub with the Shakespeare model: renamed, and at a tag. */
async function startHub(): Promise<HubServer> {
  const server = await HubServer.start();
  const names = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
  const files: Record<string, Uint8Array> = {};
  for (const name of names) files[name] = await readFile(repository(`weights/shakespeare/${name}`));
  server.commit("new/model", files, "v1");
  server.renamed.set("renamed/model", "new/model");
  return server;
}
