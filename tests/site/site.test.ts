import type { Server } from "node:http";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBrowser, howToInstall } from "../browser/support/find-browser.ts";
import { files, pages, read, serveSite, target } from "./built-site.ts";

/** TypeDoc's pages of a kind that are opened: the others differ in their text only. */
const OF_A_KIND = 3;
/** Pages that are open at once. */
const TABS = 4;

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

const program = findBrowser("chromium");
if (program === undefined && !process.env["CI"]) console.warn(`No page is opened: ${howToInstall("chromium")}.`);

describe.runIf(program !== undefined || process.env["CI"])("the site in Chromium", () => {
  let browser: Browser;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    if (program === undefined) expect.fail(howToInstall("chromium"));
    ({ url, server } = await serveSite("/some/where/"));
    browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** A tab, and what goes wrong in it. */
  async function newTab(wrong: string[]): Promise<Page> {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const report = (what: string) => wrong.push(`${tab.url().replace(url, "")}: ${what}`);
    tab.on("pageerror", (error) => report(error.message));
    tab.on("console", (message) => message.type() === "error" && report(message.text()));
    tab.on("response", (response) => response.status() >= 400 && report(`${response.status()} ${response.url()}`));
    return tab;
  }

  test("every page opens without an error, of TypeDoc's some of each kind", { timeout: 600_000 }, async () => {
    const wrong: string[] = [];
    const kinds = new Map<string, number>();
    const waiting = pages.filter((page) => {
      const kind = page.startsWith("api/") ? page.split("/").slice(0, 2).join("/") : undefined;
      const count = kind === undefined ? 0 : (kinds.get(kind) ?? 0);
      if (kind !== undefined) kinds.set(kind, count + 1);
      return count < OF_A_KIND;
    });
    expect(waiting.length).toBeGreaterThan(80);
    const openSome = async (): Promise<void> => {
      const tab = await newTab(wrong);
      for (let page = waiting.shift(); page !== undefined; page = waiting.shift()) {
        await tab.goto(url + page, { waitUntil: "load" });
        if ((await tab.locator("h1").count()) === 0) wrong.push(`${page}: no heading`);
      }
      await tab.close();
    };
    await Promise.all(Array.from({ length: TABS }, openSome));
    expect(wrong).toEqual([]);
  });

  test("a reader goes from page to page, searches, and switches to dark", async () => {
    const wrong: string[] = [];
    const tab = await newTab(wrong);
    await tab.goto(`${url}docs/reading.html`);
    await tab.evaluate(() => Object.assign(globalThis, { stayed: true }));
    await tab.locator(".VPSidebar a", { hasText: "In the browser" }).click();
    await tab.waitForURL(`${url}docs/browser.html`);
    await tab.locator(".vp-doc a", { hasText: "gpu.md" }).first().click();
    await tab.waitForURL(`${url}docs/gpu.html`);
    expect(await tab.evaluate(() => "stayed" in globalThis)).toBe(true);
    await tab.locator("#local-search button").click();
    await tab.locator("#localsearch-input").fill("perplexity");
    await tab.locator("#localsearch-list a").first().click();
    await tab.waitForURL((found) => found.href.startsWith(url) && !found.href.includes("gpu.html"));
    expect(await tab.locator("h1").count()).toBe(1);
    await tab.locator(".VPNavBarAppearance button").click();
    expect(await tab.evaluate(() => document.documentElement.classList.contains("dark"))).toBe(true);
    expect(wrong).toEqual([]);
    await tab.close();
  });
});
