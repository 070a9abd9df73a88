import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { programOf } from "./browsers.ts";
import { type ServedSite, serveSite } from "./built-site.ts";

/** The site, served below a path that its build did not know, in Chromium. */
export interface OpenSite {
  readonly browser: Browser;
  readonly url: string;
  /** A tab, in a profile of its own or beside another one. What goes wrong in it is told to the test that runs. */
  newTab(options?: BrowserContextOptions | { readonly beside: Page }): Promise<Page>;
  /** Takes the network away, or gives it back. */
  cutOff(isOff: boolean): void;
  /** Says that something is wrong. */
  report(what: string): void;
}

/** Chromium and the site for the tests of a `describe`, each of which fails if something goes wrong in a tab. */
export function siteInChromium(): OpenSite {
  let browser: Browser | undefined;
  let served: ServedSite | undefined;
  const wrong: string[] = [];
  const closing: Promise<void>[] = [];
  beforeAll(async () => {
    served = await serveSite("/some/where/");
    browser = await chromium.launch({
      executablePath: programOf("chromium"),
      args: ["--no-sandbox", "--disable-gpu"],
    });
  });
  afterEach(() => expect(wrong.splice(0)).toEqual([]));
  afterAll(async () => {
    await Promise.all(closing);
    await browser?.close();
    served?.server.closeAllConnections();
    served?.server.close();
  });
  const site: OpenSite = {
    get browser() {
      return browser!;
    },
    get url() {
      return served!.url;
    },
    cutOff(isOff) {
      served!.isCutOff = isOff;
    },
    report: (what) => void wrong.push(what),
    async newTab(options = {}) {
      const context = "beside" in options ? options.beside.context() : await site.browser.newContext(options);
      const tab = await context.newPage();
      tab.on("close", () => {
        if (context.pages().length === 0) closing.push(context.close().catch(() => {})); // it may be gone with the browser
      });
      const report = (what: string): void => site.report(`${tab.url().replace(site.url, "")}: ${what}`);
      tab.on("pageerror", (error) => report(error.message));
      tab.on("console", (message) => message.type() === "error" && report(message.text()));
      tab.on("response", (response) => {
        const isOurs = response.url().startsWith(site.url); // a hub has not all files that are asked for
        if (isOurs && response.status() >= 400) report(`${response.status()} ${response.url()}`);
      });
      return tab;
    },
  };
  return site;
}
