import { existsSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureCheckpoint } from "../../benchmarks/src/checkpoint.ts";
import { kernels } from "../../packages/tensor/src/backends/gpu/kernels/index.ts";
import { referenceBackend } from "../../packages/tensor/src/backends/reference/index.ts";
import { gpuTolerance, tame } from "../../packages/tensor/test/gpu/samples.ts";
import { expectValues } from "../../packages/tensor/test/ops/compare.ts";
import { generators } from "../../packages/tensor/test/ops/generators.ts";
import { evaluate } from "../../packages/tensor/test/ops/operands.ts";
import { calls } from "../../packages/tensor/test/ops/table.ts";
import type * as gpuChecks from "./page/gpu-checks.ts";
import type { ops } from "./page/gpu-ops.ts";
import { type Browser, checkOf, type OpenPage } from "./support/browser.ts";
import { bundleFile, bundleFileWithVite } from "./support/bundle.ts";
import { gpuFlags, startChromium } from "./support/chromium.ts";
import { findBrowser, howToInstall } from "./support/find-browser.ts";
import { PageServer } from "./support/page-server.ts";
import { repository } from "./support/paths.ts";
import { html } from "./support/site.ts";

/** Issue 3, "Done when" 2. */
const MAX_ERROR = { webgpu: 2e-4, webgl2: 1e-3 } as const;
const modes = ["webgpu", "webgl2"] as const;
/** Of each op in each mode; Node looks at more. */
const SAMPLES = 12;

type GpuChecks = typeof gpuChecks & { readonly ops: typeof ops };
const check = checkOf<GpuChecks>();

const program = findBrowser("chromium");
const reason = program === undefined ? howToInstall("chromium") : missingPackage();
if (reason === undefined) describe("the gpu device in chromium", () => gpuTests(program!));
else if (process.env["GPT2_TS_REQUIRE_GPU"] === "1") {
  test("chromium and GPU.js are there", () => expect.fail(reason));
} else {
  console.warn(`Tests of the gpu device in chromium are skipped: ${reason}.`);
  describe.skip("the gpu device in chromium", () => test("skipped", () => {}));
}

function missingPackage(): string | undefined {
  return existsSync(repository("node_modules/gpu.js/package.json")) ? undefined : "no GPU.js: npm run setup:gpu";
}

function gpuTests(program: string): void {
  let site: PageServer;
  let browser: Browser;
  beforeAll(async () => {
    const [minified, vite] = await Promise.all([
      bundleFile("gpu-ops-page.ts", { minify: true, tensorTests: true }),
      bundleFileWithVite("gpu-page.ts"),
    ]);
    site = await PageServer.start({
      isolated: true,
      files: new Map([
        ["/page.html", html],
        ["/page.js", minified],
        ["/vite/index.html", html],
        ["/vite/page.js", vite.code],
      ]),
      folders: {
        "/weights": repository("weights"),
        "/checkpoints/synthetic-tiny": await ensureCheckpoint("synthetic-tiny"),
        "/reference": repository("benchmarks/reference"),
      },
    });
    browser = await startChromium(program, gpuFlags);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  describe.each([
    { kind: "minified by esbuild", path: "/page.html", all: true },
    { kind: "bundled by Vite", path: "/vite/index.html", all: false },
  ])("$kind", ({ path, all }) => {
    test("auto measures every mode that browsers have, and takes one of them", async () => {
      const page = await browser.open(site, path);
      const { mode, trials } = await check(page, "automatic");
      const answers = new Map(trials.map(({ mode, answer }) => [mode, answer]));
      for (const each of [...modes, "webasm", "cpu"] as const) expect(answers.get(each)).toMatch(/ ms/);
      expect([...modes, "webasm", "cpu"]).toContain(mode);
      await page.close();
    });

    describe.each(modes)("in mode %s", (mode) => {
      let page: OpenPage;
      beforeAll(async () => {
        page = await browser.open(site, path);
      });
      afterAll(() => page?.close());

      test("runs where it says", async () => {
        const { mode: found, adapter, degraded } = await check(page, "info", mode);
        expect({ found, degraded }).toEqual({ found: mode, degraded: {} });
        if (mode === "webgpu") expect(adapter?.vendor).toMatch(/./);
      });

      test.each([
        { model: "synthetic-tiny", folder: "checkpoints/synthetic-tiny", prompt: "T64", tokens: 64 },
        { model: "shakespeare", folder: "weights/shakespeare", prompt: "A", tokens: 36 },
      ])("$model: the logits meet float64, without ops on the CPU", async ({ model, folder, prompt, tokens }) => {
        const reference = `${site.url}/reference/${model}.safetensors`;
        const found = await check(page, "modelLogits", mode, `${site.url}/${folder}`, reference, prompt);
        expect(found.tokens).toBe(tokens);
        expect(found.error).toBeLessThan(MAX_ERROR[mode]);
        expect(found.fallbacks).toEqual([]);
      });

      test("writes the wasm device's text", async () => {
        const { gpu, wasm } = await check(page, "generated", mode, `${site.url}/weights/shakespeare`, "To be, or", 24);
        expect(gpu.length).toBeGreaterThan(24);
        expect(gpu).toBe(wasm);
      });

      test("scores texts as the wasm device does", async () => {
        const texts = ["To be, or not to be, that is the question", "to be", "café ☕ — ’tis"];
        const found = await check(page, "scored", mode, `${site.url}/weights/shakespeare`, texts);
        expect(found.count).toBeGreaterThan(20);
        expect(found.difference).toBeLessThan(MAX_ERROR[mode]);
      });

      if (!all) return;

      test.each([...kernels.keys()].sort())("%s agrees with the reference", async (op) => {
        const samples = fc.sample(generators[op]!, { seed: 2026, numRuns: SAMPLES }).map((sample) => tame(sample, op));
        const { values } = await check(page, "ops", mode, op, samples);
        for (const [i, { inputs, args }] of samples.entries()) {
          const expected = evaluate(referenceBackend, inputs, (views) => calls[op]!(views, args));
          expectValues(values[i]!, expected, gpuTolerance(op));
        }
      });
    });
  });

  test.each(modes)("a lost device is an error in mode %s, and a new one can be had", async (mode) => {
    const page = await browser.open(site, "/page.html");
    const { before, error, afterwards } = await check(page, "lost", mode);
    expect(before).toEqual([2, 3]);
    expect(error).toEqual({ name: "DeviceError", message: expect.stringContaining("the device was lost") });
    expect(afterwards).toEqual([3, 4]);
    await page.close();
  });

  test("a browser without WebGPU gives an error that says what it takes, and the page goes on", async () => {
    const plain = await startChromium(program);
    const page = await plain.open(site, "/page.html");
    const { error, afterwards } = await check(page, "missing", "webgpu");
    expect(error?.name).toBe("DeviceError");
    expect(error?.message).toMatch(/^gpu: .*(no WebGPU|no adapter)/);
    expect(error?.message).toMatch(/flag|secure page|driver/);
    expect(afterwards).toEqual([2, 3]);
    await plain.close();
  });
}
