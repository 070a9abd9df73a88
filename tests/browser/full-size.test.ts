import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureCheckpoint } from "../../benchmarks/dist/checkpoint.js";
import { syntheticVocabulary } from "../../benchmarks/dist/synthetic-tokenizer.js";
import { HubServer } from "../../packages/gpt2/test/hub/hub-server.ts";
import { type Browser, check, type OpenPage, startBrowser } from "./support/browser.ts";
import { findBrowser } from "./support/find-browser.ts";
import type { PageServer } from "./support/page-server.ts";
import { startSite } from "./support/site.ts";

// A model of GPT-2 small's shape, from download to reload: half a gigabyte and minutes, so only when asked for.
const asked = process.env["GPT2_TS_FULL_SIZE"] === "1";
const NAME = "synthetic/gpt2-small";
const minutes = 60_000;

describe.runIf(asked)("GPT-2 small's shape", () => {
  let site: PageServer;
  let hub: HubServer;
  let size: number;
  beforeAll(async () => {
    site = await startSite(true);
    hub = await HubServer.start();
    const folder = await ensureCheckpoint("synthetic-124m");
    const { vocab, merges } = syntheticVocabulary(50257);
    const weights = await readFile(join(folder, "model.safetensors"));
    size = weights.length;
    hub.commit(NAME, {
      "config.json": await readFile(join(folder, "config.json")),
      "vocab.json": vocab,
      "merges.txt": merges,
      "model.safetensors": weights,
    });
  }, 10 * minutes);
  afterAll(async () => {
    await site?.stop();
    await hub?.stop();
  });

  test.each(["chromium", "firefox"] as const)(
    "is kept in %s: stopped, continued, converted, read offline",
    async (name) => {
      const program = findBrowser(name);
      if (program === undefined) return;
      const browser: Browser = await startBrowser(name, program);
      const page: OpenPage = await browser.open(site, "/page.html");
      const seconds: Record<string, number> = {};
      const timed = async <Result>(what: string, action: () => Promise<Result>): Promise<Result> => {
        const begin = performance.now();
        const result = await action();
        seconds[what] = Math.round((performance.now() - begin) / 100) / 10;
        return result;
      };
      const visit = { name: NAME, endpoint: hub.url, dtype: "int8" } as const;
      try {
        const stopped = await timed("half of it", () => check(page, "visit", { ...visit, stopAfter: size / 2 }));
        expect(stopped.error?.name).toBe("AbortError");
        await page.reload?.();
        const first = await timed("the rest, verified, converted, loaded", () => check(page, "visit", visit));
        expect(first.error).toBeUndefined();
        expect(first.resumed).toBeGreaterThan(0.49 * size);
        const kept = await check(page, "kept");
        expect(kept).toMatchObject([{ dtype: "int8", complete: true }]);
        console.log(`${name} keeps ${Math.round(kept[0]!.bytes / 1e6)} MB`);
        await page.reload?.();
        hub.requests.length = 0;
        const again = await timed("the next visit, loaded from what is kept", () => check(page, "visit", visit));
        expect(again.bits).toBe(first.bits);
        expect(hub.requests).toHaveLength(1);
        expect((await check(page, "visit", { ...visit, offline: true })).bits).toBe(first.bits);
        console.table({ [`${name}, s`]: seconds });
      } finally {
        await page.close();
        await browser.close();
      }
    },
    10 * minutes,
  );
});
