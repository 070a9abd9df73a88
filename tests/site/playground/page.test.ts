// What only a browser with a driver tells: keys, sizes, how much is loaded.
import { gzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { testsRunIn } from "../browsers.ts";
import { siteInChromium } from "../in-chromium.ts";

/** Issue 16: scripts before a model is loaded, in kilobytes after gzip. */
const MOST_SCRIPT = 400;
/** How WebAssembly begins in base64. */
const KERNELS = "AGFzbQEAAAA";

describe.runIf(testsRunIn("chromium"))("the playground", () => {
  const site = siteInChromium();

  async function opened(options: BrowserContextOptions = {}, hash = ""): Promise<Page> {
    const page = await site.newTab(options);
    await page.goto(`${site.url}playground/index.html${hash}`);
    return page;
  }

  test(`takes less than ${MOST_SCRIPT} kB of scripts before a model is there`, async () => {
    const page = await site.newTab();
    const scripts = new Map<string, Promise<Buffer>>();
    page.context().on("response", (response) => {
      const isKept = response.request().serviceWorker() !== null; // for the next visit, once the model is there
      if (response.url().endsWith(".js") && !isKept) scripts.set(response.url(), response.body());
    });
    await page.goto(`${site.url}playground/index.html`);
    await page.locator(".bars.two li").first().waitFor();
    const loaded = await Promise.all(Array.from(scripts, async ([url, body]) => ({ url, body: await body })));
    const bytes = loaded.map(({ body }) => gzipSync(body, { level: 9 }).length);
    const kilobytes = bytes.reduce((sum, each) => sum + each, 0) / 1000;
    console.log(`scripts of the playground: ${kilobytes.toFixed(0)} kB (gzip), in ${bytes.length} files`);
    expect(bytes.length).toBeGreaterThan(1); // the worker's is among them
    expect(kilobytes).toBeLessThan(MOST_SCRIPT);
    const withKernels = loaded.filter(({ body }) => body.includes(KERNELS)).map(({ url }) => url);
    expect(withKernels).toEqual([expect.stringContaining("gpt2-thread")]); // the page itself computes nothing
    await page.close();
  });

  test("opens without a network once it has been there: page, model and each part", async () => {
    const page = await opened();
    await page.locator(".bars.two li").first().waitFor();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    site.cutOff(true);
    try {
      await page.reload();
      await page.locator(".bars.two li").first().waitFor();
      for (const [part, there] of [
        ["Code", ".row-numbers"],
        ["Inside", ".contributions td"],
        ["Train", ".train-part"],
      ] as const) {
        await page.getByRole("tab", { name: part }).click();
        await page.locator(there).first().waitFor();
      }
    } finally {
      site.cutOff(false);
    }
    await page.close();
  });

  test("needs no mouse: text, tokens, a branch, a filter and the parts are reached by keys", async () => {
    const page = await opened();
    await page.locator(".bars.two li").first().waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.closest("[id],[class]")?.className ?? "");
    const label = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "",
      );
    const tabTo = async (reached: () => Promise<boolean>): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        if (await reached()) return;
      }
      throw new Error("no number of tabs leads there");
    };
    const isText = () => page.evaluate(() => document.activeElement?.id === "text");
    await tabTo(isText);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("The little girl, who");
    await expect.poll(() => page.locator(".token").count()).toBe(6); // five, and the place behind them
    await page.keyboard.press("Control+Shift+Enter");
    await expect.poll(() => page.locator(".token").count()).toBe(7);
    await tabTo(async () => (await focused()).includes("token"));
    expect(await label()).toBe("what comes next");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    expect(await label()).toMatch(/^blank who, /);
    await page.locator(".beaten li").first().waitFor();
    await tabTo(async () => (await focused()).includes("bar-token"));
    const token = await page.evaluate(() => document.activeElement!.textContent!);
    await page.keyboard.press("Enter");
    await expect
      .poll(() => page.locator("#text").inputValue())
      .toBe(`The little girl,${token.replace("·", " ").replace("↵", "\n")}`);
    await expect.poll(label).toBe("what comes next");
    await tabTo(() => page.evaluate(() => (document.activeElement as HTMLInputElement).name === "filter"));
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("input[name=filter]:checked").inputValue()).toBe("temperature");
    await tabTo(() => page.evaluate(() => document.activeElement?.getAttribute("role") === "tab")).catch(async () => {
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await tabTo(() => page.evaluate(() => document.activeElement?.getAttribute("role") === "tab"));
    });
    await page.keyboard.press("End");
    await page.locator("#runs-title").waitFor();
    await page.close();
  });

  test.each(["light", "dark"] as const)("fits a phone, and a wide screen, %s", async (colorScheme) => {
    for (const width of [360, 1920]) {
      const page = await opened({ viewport: { width, height: 740 }, colorScheme }, "#token=3");
      await page.locator(".bars.two li").first().waitFor();
      const tooWide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(await tooWide()).toBeLessThanOrEqual(0);
      await page.getByRole("tab", { name: "Models" }).click();
      await page.locator("#runs-title").waitFor();
      expect(await tooWide()).toBeLessThanOrEqual(0);
      const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const brightness = Number(/\d+/.exec(paper)?.[0]);
      if (colorScheme === "dark") expect(brightness).toBeLessThan(64);
      else expect(brightness).toBeGreaterThan(192);
      await page.close();
    }
  });
});
