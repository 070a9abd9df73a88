// Where models come from: a folder of the reader's, dropped or chosen, and a hub that is slow, or more than the browser keeps.
import { cp, mkdir, mkdtemp, readFile, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HubServer } from "../../../packages/gpt2/test/hub/hub-server.ts";
import { repository } from "../../browser/support/paths.ts";
import { testsRunIn } from "../browsers.ts";
import { siteInChromium } from "../in-chromium.ts";

const MODEL = repository("weights/shakespeare");
const FILES = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
const PATIENCE = { timeout: 30_000, interval: 50 };

const textOf = (page: Page, selector: string) =>
  expect.poll(async () => (await page.locator(selector).allTextContents()).join("\n"), PATIENCE);

describe.runIf(testsRunIn("chromium"))("the page of models", () => {
  const site = siteInChromium();
  let page: Page;
  beforeEach(async () => {
    page = await site.newTab();
    await page.goto(`${site.url}playground/index.html#view=models`);
    await textOf(page, ".running-name").toBe("Stories");
    await page.locator("#runs-title").waitFor();
  });
  afterEach(async () => page.close());

  describe("takes a folder of the reader's", () => {
    let home: string;
    let folder: string;
    beforeEach(async () => {
      home = await mkdtemp(join(tmpdir(), "gpt2-ts-models-"));
      folder = join(home, "bard");
      await mkdir(folder);
      for (const name of FILES) await cp(join(MODEL, name), join(folder, name));
    });
    afterEach(() => rm(home, { recursive: true, force: true }));

    /** Drags files of the system over an element, and drops them unless told otherwise. */
    async function drag(files: readonly string[], over: Locator, { drop = true } = {}): Promise<void> {
      await over.scrollIntoViewIfNeeded();
      const { x, y, width, height } = (await over.boundingBox())!;
      const session = await page.context().newCDPSession(page);
      const types = ["dragEnter", "dragOver", ...(drop ? (["drop"] as const) : [])] as const;
      for (const type of types) {
        const data = { items: [], files: [...files], dragOperationsMask: 1 };
        await session.send("Input.dispatchDragEvent", { type, x: x + width / 2, y: y + height / 2, data });
      }
      await session.detach();
    }
    const card = () => page.locator(".drop");
    const isThere = async () => {
      await textOf(page, ".running-name").toBe("bard");
      await textOf(page, ".facts").toMatch(/4 layers of 4 heads/);
      await page.getByRole("tab", { name: "Text" }).click();
      await expect.poll(() => page.locator(".bars.two li").count(), PATIENCE).toBe(12);
    };

    test("that is dropped", async () => {
      await drag([folder], card(), { drop: false });
      await expect.poll(() => card().getAttribute("class")).toContain("over");
      await drag([folder], card());
      await isThere();
    });

    test("whose files are dropped one beside the other, anywhere on the page", async () => {
      const paths = FILES.map((name) => join(folder, name));
      await drag(paths, page.locator("#runs-title"));
      await textOf(page, ".running-name").toBe("Your files");
    });

    test("that is in the folder that is dropped", async () => {
      await writeFile(join(home, "notes.txt"), "Where the model is.");
      await drag([home], card());
      await isThere();
    });

    test("that is chosen, or whose files are", async () => {
      const choose = async (button: string, files: string | string[]) => {
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: button }).click();
        await (await chooser).setFiles(files);
      };
      await choose(
        "Choose its files",
        FILES.map((name) => join(folder, name)),
      );
      await textOf(page, ".running-name").toBe("Your files");
      await choose("Choose a folder", folder);
      await isThere();
    });

    describe("but says what is wrong with one", () => {
      const weights = () => join(folder, "model.safetensors");
      test.each<[string, () => Promise<void>, RegExp]>([
        ["without a config", () => unlink(join(folder, "config.json")), /^There is no config\.json among these files/],
        ["without weights", () => unlink(weights()), /bard could not be loaded.*model\.safetensors/],
        ["without merges", () => unlink(join(folder, "merges.txt")), /bard could not be loaded.*merges\.txt/],
        ["whose weights are cut", () => truncate(weights(), 1_000_000), /bard could not be loaded.*model\.safetensors/],
        [
          "whose config is none",
          () => writeFile(join(folder, "config.json"), "{"),
          /bard could not be loaded.*config\.json/,
        ],
      ])("%s", async (_, spoil, said) => {
        await spoil();
        await drag([folder], card());
        await textOf(page, "[role=alert]").toMatch(said);
        expect(await page.locator("[role=alert]").textContent()).not.toMatch(/undefined|\[object|\.\./);
        expect(await page.locator(".running-name").textContent()).toBe("Stories");
      });

      test("that is none", async () => {
        await writeFile(join(home, "notes.txt"), "Where the model is not.");
        await drag([join(home, "notes.txt")], card());
        await textOf(page, "[role=alert]").toMatch(/^There is no config\.json/);
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Choose a folder" }).click();
        await (await chooser).setFiles(folder);
        await isThere();
        await page.getByRole("tab", { name: "Models" }).click();
        expect(await page.locator("[role=alert]").count()).toBe(0);
      });
    });
  });

  describe("takes a model of a hub", () => {
    const NAME = "org/bard";
    const files: Record<string, Uint8Array> = {};
    let hub: HubServer;
    beforeAll(async () => {
      for (const name of FILES) files[name] = await readFile(join(MODEL, name));
    });
    beforeEach(async () => {
      hub = await HubServer.start();
      hub.commit(NAME, files);
    });
    afterEach(() => hub.stop());
    const size = () => files["model.safetensors"]!.length;

    async function download(tab: Page): Promise<void> {
      await tab.locator(".hub summary").click();
      await tab.locator(".hub input[type=url]").fill(hub.url);
      await tab.locator(".hub input[type=text]").fill(NAME);
      await tab.getByRole("button", { name: "Download", exact: true }).click();
    }
    const progress = async (tab: Page) =>
      Number((await tab.getByRole("progressbar").getAttribute("aria-valuenow", { timeout: 30_000 })) ?? 0);

    test("with progress; a download that was stopped goes on where it was, and the model is kept", async () => {
      hub.throttle = { bytes: 2 ** 15, ms: 20 };
      await download(page);
      await textOf(page, ".progress").toMatch(/^org\/bard Downloading: \d\.\d MB of 3\.9 MB/);
      await expect.poll(() => progress(page), PATIENCE).toBeGreaterThan(20);
      await page.getByRole("button", { name: "Cancel" }).click();
      await textOf(page, "[aria-labelledby=kept-title] .quiet").toMatch(/MB, not all of it$/);
      expect(await page.getByRole("progressbar").count()).toBe(0);
      expect(await page.locator(".running-name").textContent()).toBe("Stories");
      hub.throttle = undefined;
      await page.getByRole("button", { name: "Continue" }).click();
      await textOf(page, ".running-name").toBe(NAME);
      const [first, second] = hub.transfers("model.safetensors").filter(({ server }) => server === "cdn");
      expect(first!.headers.range).toBeUndefined();
      expect(Number(/^bytes=(\d+)-$/.exec(second!.headers.range ?? "")?.[1])).toBeGreaterThan(0.15 * size());
      await textOf(page, "[aria-labelledby=kept-title] .quiet").toMatch(/^int8, 1\.\d MB$/);
    });

    test("that does not fit into what the browser keeps: it says so, and loads it without keeping it", async () => {
      const session = await page.context().newCDPSession(page);
      const { origin } = new URL(site.url);
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null); // the page itself is kept
      const usage = await page.evaluate(async () => (await navigator.storage.estimate()).usage!);
      await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + 1_500_000 });
      await download(page);
      await textOf(page, "[role=alert]").toMatch(/This browser lets the page keep no more\. It needs 3\.8 MB more\./);
      await page.getByRole("button", { name: "Load it without keeping it" }).click();
      await textOf(page, ".running-name").toBe(NAME);
      expect(await page.locator("[role=alert]").count()).toBe(0);
    });

    test("where the quota is exceeded before it begins: it says so all the same", async () => {
      const session = await page.context().newCDPSession(page);
      const { origin } = new URL(site.url);
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null); // the page itself is kept
      await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
      await download(page);
      await textOf(page, "[role=alert]").toMatch(/This browser lets the page keep no more\. Delete models below/);
      await page.getByRole("button", { name: "Load it without keeping it" }).click();
      await textOf(page, ".running-name").toBe(NAME);
    });

    test("in two tabs at once, by one download", async () => {
      const beside = await site.newTab({ beside: page });
      await beside.goto(`${site.url}playground/index.html#view=models`);
      await textOf(beside, ".running-name").toBe("Stories");
      hub.throttle = { bytes: 2 ** 15, ms: 20 };
      await download(page);
      await expect.poll(() => progress(page), PATIENCE).toBeGreaterThan(5);
      await download(beside);
      await textOf(beside, ".progress").toMatch(/Waiting for another tab/);
      hub.throttle = undefined;
      await textOf(page, ".running-name").toBe(NAME);
      await textOf(beside, ".running-name").toBe(NAME);
      expect(hub.transfers("model.safetensors").filter(({ server }) => server === "cdn")).toHaveLength(1);
      await beside.close();
    });

    test("and the list in another tab shows that it came, and that it is deleted", async () => {
      const beside = await site.newTab({ beside: page });
      await beside.goto(`${site.url}playground/index.html#view=models`);
      await textOf(beside, "[aria-labelledby=kept-title]").toMatch(/None yet/);
      await download(page);
      await textOf(beside, "[aria-labelledby=kept-title] .quiet").toMatch(/^int8, 1\.\d MB$/);
      await page.getByRole("button", { name: `Delete ${NAME}` }).click();
      await textOf(beside, "[aria-labelledby=kept-title]").toMatch(/None yet/);
      await beside.close();
    });
  });
});
