import { describe, expect, test } from "vitest";
import { seriousFaults } from "./axe.ts";
import { testsRunIn } from "./browsers.ts";
import { files, pages, read, target } from "./built-site.ts";
import { siteInChromium } from "./in-chromium.ts";

/** TypeDoc's pages of a kind that are opened: the others differ in their text only. */
const OF_A_KIND = 3;
/** Pages that are open at once. */
const TABS = 4;

/** The playground's parts, and what is there once a part is. */
const PARTS = new Map([
  ["playground/index.html#view=text&token=5", ".beaten li"],
  ["playground/index.html#view=code&token=5", ".row-numbers"],
  ["playground/index.html#view=inside&token=5", ".contributions td"],
  ["playground/index.html#view=train", ".train-part"],
  ["playground/index.html#view=models", "[data-value=first-text]"],
]);

describe("the site's files", () => {
  test("have all documents, code and the API", () => {
    for (const page of [
      "index",
      "docs/reading",
      "packages/gpt2/index",
      "api/index",
      "code/packages/gpt2/src/model/model.ts",
    ]) {
      expect(pages).toContain(`${page}.html`);
    }
  });

  test("link to files and headings that are there, whatever path they are published at", () => {
    const ids = new Map<string, Set<string>>();
    const hasHeading = (page: string, heading: string): boolean => {
      const known =
        ids.get(page) ?? new Set(Array.from(read(page).matchAll(/\s(?:id|name)="([^"]+)"/g), ([, id]) => id!));
      ids.set(page, known);
      return known.has(heading);
    };
    const broken = new Set<string>();
    let followed = 0;
    for (const page of pages) {
      const markup = read(page).replace(/(<script\b[^>]*>).*?<\/script>/gs, "$1");
      for (const [, link = ""] of markup.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        const found = target(page, link);
        if (found === undefined) continue;
        followed++;
        const { file, heading } = found;
        const isTypeDocs = page.startsWith("api/") && file.startsWith("api/"); // which has checked its headings, and lacks one
        if (link.startsWith("/") || !files.has(file)) broken.add(`${page}: ${link}`);
        else if (heading !== undefined && !isTypeDocs && file.endsWith(".html") && !hasHeading(file, heading))
          broken.add(`${page}: ${link}`);
      }
    }
    expect([...broken]).toEqual([]);
    expect(followed).toBeGreaterThan(10_000);
  });
});

describe.runIf(testsRunIn("chromium"))("the site in Chromium", () => {
  const site = siteInChromium();

  test("every page opens without an error, of TypeDoc's some of each kind", { timeout: 600_000 }, async () => {
    const waiting = [...PARTS.keys(), ...pages.filter(firstOf(OF_A_KIND, (page) => page.startsWith("api/")))];
    expect(waiting.length).toBeGreaterThan(80);
    const isLookedAt = firstOf(1, (page) => page.startsWith("code/"));
    const lookedAt = new Set(waiting.filter((page) => !page.startsWith("api/") && isLookedAt(page)));
    expect(lookedAt.size).toBeGreaterThan(50);
    const openSome = async (): Promise<void> => {
      const tab = await site.newTab({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
      for (let page = waiting.shift(); page !== undefined; page = waiting.shift()) {
        await tab.goto("about:blank"); // or else another part of the same page would not load it anew
        await tab.goto(site.url + page, { waitUntil: "load" });
        const shown = PARTS.get(page);
        if (shown !== undefined) await tab.locator(shown).first().waitFor();
        if ((await tab.locator("h1").count()) === 0) site.report(`${page}: no heading`);
        if (lookedAt.has(page)) for (const fault of await seriousFaults(tab)) site.report(`${page}: axe: ${fault}`);
      }
      await tab.close();
    };
    await Promise.all(Array.from({ length: TABS }, openSome));
  });

  test("a reader goes from page to page, searches, and switches to dark", async () => {
    const tab = await site.newTab({ viewport: { width: 1280, height: 800 } });
    await tab.goto(`${site.url}docs/reading.html`);
    await tab.evaluate(() => Object.assign(globalThis, { stayed: true }));
    await tab.locator(".VPSidebar a", { hasText: "In the browser" }).click();
    await tab.waitForURL(`${site.url}docs/browser.html`);
    await tab.locator(".vp-doc a", { hasText: "gpu.md" }).first().click();
    await tab.waitForURL(`${site.url}docs/gpu.html`);
    expect(await tab.evaluate(() => "stayed" in globalThis)).toBe(true);
    await tab.locator("#local-search button").click();
    await tab.locator("#localsearch-input").fill("perplexity");
    await tab.locator("#localsearch-list a").first().click();
    await tab.waitForURL((found) => found.href.startsWith(site.url) && !found.href.includes("gpu.html"));
    expect(await tab.locator("h1").count()).toBe(1);
    await tab.locator(".VPNavBarAppearance button").click();
    expect(await tab.evaluate(() => document.documentElement.classList.contains("dark"))).toBe(true);
    await tab.close();
  });
});

/** True for the first pages of each kind, by the folder that they are in, and for all that are of no kind. */
function firstOf(count: number, hasKind: (page: string) => boolean): (page: string) => boolean {
  const seen = new Map<string, number>();
  return (page) => {
    if (!hasKind(page)) return true;
    const kind = page.split("/").slice(0, 2).join("/");
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    return seen.get(kind)! <= count;
  };
}
