import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { type Browser, checkOf, type OpenPage, startBrowser } from "../../browser/support/browser.ts";
import type { BrowserName } from "../../browser/support/find-browser.ts";
import { PageServer } from "../../browser/support/page-server.ts";
import { repository } from "../../browser/support/paths.ts";
import { html } from "../../browser/support/site.ts";
import { programOf, testsRunIn } from "../browsers.ts";
import type { Actions } from "./driver.ts";

const BASE = "/some/where/";
const PLAYGROUND = `${BASE}playground/index.html`;

/**
 * Tests of the playground, in each browser that is there: in one of them on a page with threads, in the other on an ordinary one, since
 * the numbers are the same. Nothing may go wrong in the page.
 */
export function inBothBrowsers(
  what: string,
  { threadsIn }: { readonly threadsIn: BrowserName },
  tests: (page: Playground, isolated: boolean) => void,
): void {
  for (const name of ["chromium", "firefox"] as const) {
    const isolated = name === threadsIn;
    describe.runIf(testsRunIn(name))(`${what} in ${name}`, () => {
      const page = new Playground();
      beforeAll(() => page.start(name, isolated));
      afterEach(async () => expect(await page.wrong()).toEqual([]));
      afterAll(() => page.stop());
      tests(page, isolated);
    });
  }
}

/** Serves the built site below a path that its build did not know, and the page that drives its playground. */
async function servePlayground(isolated: boolean): Promise<PageServer> {
  const { outputFiles } = await build({
    entryPoints: [repository("tests/site/playground/driver.ts")],
    bundle: true,
    format: "esm",
    write: false,
  });
  return PageServer.start({
    isolated,
    files: new Map([
      ["/page.html", html],
      ["/page.js", outputFiles[0]!.text],
    ]),
    folders: { [BASE]: repository("site/dist") },
  });
}

const act = checkOf<Actions>();

/** Computing takes its time on a busy machine. */
const PATIENCE = { timeout: 30_000, interval: 50 };

/** The playground in a browser. */
export class Playground {
  #server: PageServer | undefined;
  #browser: Browser | undefined;
  #opened: OpenPage | undefined;

  get #page(): OpenPage {
    if (this.#opened === undefined) throw new Error("the browser did not start");
    return this.#opened;
  }

  async start(name: BrowserName, isolated: boolean): Promise<void> {
    this.#server = await servePlayground(isolated);
    this.#browser = await startBrowser(name, programOf(name));
    this.#opened = await this.#browser.open(this.#server, "/page.html");
  }

  async stop(): Promise<void> {
    await this.#opened?.close();
    await this.#browser?.close();
    await this.#server?.stop();
  }

  async open(hash = ""): Promise<void> {
    await act(this.#page, "open", PLAYGROUND + hash);
  }

  texts(selector: string): Promise<string[]> {
    return act(this.#page, "texts", selector);
  }

  async text(selector: string): Promise<string | undefined> {
    return (await this.texts(selector))[0];
  }

  attributes(selector: string, name: string): Promise<(string | null)[]> {
    return act(this.#page, "attributes", selector, name);
  }

  click(selector: string, index = 0): Promise<void> {
    return act(this.#page, "click", selector, index);
  }

  /** The button that says so. */
  async clickNamed(name: string, selector = "button"): Promise<void> {
    const index = (await this.texts(selector)).indexOf(name);
    expect(index, `a ${selector} “${name}”`).toBeGreaterThanOrEqual(0);
    await this.click(selector, index);
  }

  fill(selector: string, value: string): Promise<void> {
    return act(this.#page, "fill", selector, value);
  }

  press(selector: string, key: string): Promise<void> {
    return act(this.#page, "press", selector, key);
  }

  /** Changes what is behind the `#`; the page stays. */
  follow(hash: string): Promise<void> {
    return act(this.#page, "follow", hash);
  }

  address(): Promise<string> {
    return act(this.#page, "address");
  }

  keepDownloads(): Promise<void> {
    return act(this.#page, "keepDownloads");
  }

  /** Waits for a download. */
  async download(): Promise<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }> {
    let found: Awaited<ReturnType<Actions["download"]>>;
    await expect.poll(async () => (found ??= await act(this.#page, "download")), PATIENCE).toBeDefined();
    return { name: found!.name, bytes: new Uint8Array(Buffer.from(found!.base64, "base64")) };
  }

  isolated(): Promise<boolean> {
    return act(this.#page, "isolated");
  }

  wrong(): Promise<string[]> {
    return act(this.#page, "wrong");
  }

  /** Waits until the elements have these texts. */
  async expectTexts(selector: string, texts: readonly (string | RegExp)[]): Promise<void> {
    const wanted = texts.map((text) => (typeof text === "string" ? text : expect.stringMatching(text)));
    await expect.poll(() => this.texts(selector), PATIENCE).toEqual(wanted);
  }

  /** Waits until the elements have an attribute with these values. */
  async expectAttributes(selector: string, name: string, values: readonly string[]): Promise<void> {
    await expect.poll(() => this.attributes(selector, name), PATIENCE).toEqual(values);
  }

  async expectSome(selector: string): Promise<void> {
    await expect.poll(async () => (await this.texts(selector)).length, PATIENCE).toBeGreaterThan(0);
  }

  async expectNone(selector: string): Promise<void> {
    await expect.poll(() => this.texts(selector), PATIENCE).toEqual([]);
  }
}
