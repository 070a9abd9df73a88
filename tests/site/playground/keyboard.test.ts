// Each part of the page without a mouse: everything that can be used is reached by Tab, and does by keys what it does by clicks.
import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seriousFaults } from "../axe.ts";
import { testsRunIn } from "../browsers.ts";
import { siteInChromium } from "../in-chromium.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
/** More stops than any part has. */
const MOST_STOPS = 300;

describe.runIf(testsRunIn("chromium"))("by keyboard alone", () => {
  const site = siteInChromium();
  let page: Page;
  beforeEach(async () => {
    page = await site.newTab({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  });
  afterEach(() => page.close());

  async function open(hash: string, there: string): Promise<void> {
    await page.goto(`${site.url}playground/index.html${hash}`);
    await page.locator(there).first().waitFor();
    await expect.poll(() => page.locator(".running-facts").textContent(), PATIENCE).toMatch(/^f32/);
  }

  const textOf = (selector: string) =>
    expect.poll(async () => (await page.locator(selector).allTextContents()).join("\n"), PATIENCE);

  /** Presses Tab, from the top of the page, until what is focused fits the selector. */
  async function tabTo(selector: string): Promise<void> {
    await page.locator(selector).first().waitFor();
    await page.evaluate(() => {
      (document.activeElement as HTMLElement | null)?.blur();
      getSelection()?.removeAllRanges();
    });
    for (let i = 0; i < MOST_STOPS; i++) {
      await page.keyboard.press("Tab");
      const isThere = await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
      if (isThere) return;
    }
    throw new Error(`no number of tabs leads to ${selector}`);
  }

  /** What can be used and no Tab comes to. Members of a group that the arrow keys go through count as reached with one of them. */
  async function unreached(): Promise<string[]> {
    await page.evaluate(() => {
      for (const element of document.querySelectorAll("[data-reached]")) element.removeAttribute("data-reached");
      (document.activeElement as HTMLElement | null)?.blur();
      getSelection()?.removeAllRanges();
    });
    for (let i = 0; i < MOST_STOPS; i++) {
      await page.keyboard.press("Tab");
      const isRoundOver = await page.evaluate(() => {
        const at = document.activeElement;
        if (at === null || at === document.body || at.hasAttribute("data-reached")) return true;
        at.setAttribute("data-reached", "");
        return false;
      });
      if (isRoundOver && i > 3) break;
    }
    return page.evaluate(() => {
      const usable = "a[href], button, input, select, textarea, summary, [tabindex], [role=option], [role=slider]";
      const groups = "[role=tablist], [role=listbox], .listing, [role=radiogroup], fieldset:has(input[type=radio])";
      const isUsed = (element: HTMLElement): boolean =>
        element.checkVisibility() && !element.matches(":disabled, [hidden], [type=file]");
      return Array.from(document.querySelectorAll<HTMLElement>(usable))
        .filter(isUsed)
        .filter((element) => !element.hasAttribute("data-reached"))
        .filter((element) => {
          const group = element.closest(groups);
          return group === null || !(group.matches("[data-reached]") || group.querySelector("[data-reached]"));
        })
        .map((element) => element.outerHTML.slice(0, 120));
    });
  }

  /** What comes while the walk is under way is met by the next one. */
  const allIsReached = () => expect.poll(unreached, { ...PATIENCE, timeout: 60_000 }).toEqual([]);

  test("Text: each control is reached, a slider is moved, a text is written", async () => {
    await open("#token=5", ".beaten li");
    await allIsReached();
    await tabTo("#sampling-temperature");
    await page.keyboard.press("End");
    await expect.poll(() => page.url(), PATIENCE).toMatch(/temperature=/);
    await tabTo(".editor .main");
    const before = await page.locator("#text").inputValue();
    await page.keyboard.press("Enter");
    await expect
      .poll(async () => (await page.locator("#text").inputValue()).length, PATIENCE)
      .toBeGreaterThan(before.length);
    expect(await seriousFaults(page)).toEqual([]);
  });

  test("Code: each control is reached, the listing steps, a tensor is chosen, the cursor moves", async () => {
    await open("#view=code&token=5", ".row-numbers");
    await allIsReached();
    const step = () => page.locator(".position").textContent();
    const [first] = [await step()];
    await tabTo(".listing");
    await page.keyboard.press("ArrowDown");
    await expect.poll(step, PATIENCE).not.toBe(first);
    await page.keyboard.press("Home");
    await expect.poll(step, PATIENCE).toBe(first);
    await tabTo(".steps .main");
    for (let i = 0; i < 6; i++) await page.keyboard.press("Enter");
    await textOf(".value h3 code").toBe("h.0.attn.y");
    await tabTo(".tensors button:nth-child(2)");
    await page.keyboard.press("Enter");
    await textOf(".value h3 code").toBe("h.0.attn.pattern");
    await page.locator(".heat-readout").waitFor();
    await tabTo(".heat-field");
    await page.keyboard.press("Home");
    await textOf(".heat-readout").toContain(", 5, 0] = ");
    await page.keyboard.press("ArrowRight");
    await textOf(".heat-readout").toContain(", 5, 1] = ");
    await tabTo(".pickers label:nth-child(2) select");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.url(), PATIENCE).toMatch(/layer=1/);
    expect(await seriousFaults(page)).toEqual([]);
  });

  test("Inside: each control is reached, a head is chosen and switched off, the matrix and the arcs choose tokens", async () => {
    await open("#view=inside&token=5", ".contributions td");
    for (const there of [".heads .thumbnail", ".next-tokens .probability", ".arcs [data-token]", ".lens .guess"]) {
      await page.locator(there).first().waitFor();
    }
    await allIsReached();
    await tabTo("[aria-label='Layer 1, head 2']");
    await page.keyboard.press("Enter");
    await textOf(".panel h3").toMatch(/Attention of layer 1, head 2/);
    await tabTo("[role=switch][aria-label='Head 2 of layer 1']");
    await page.keyboard.press("Space");
    await textOf(".off-chip").toMatch(/^head 2 of layer 1/);
    await tabTo(".off-chip button, button.off-chip");
    await page.keyboard.press("Enter");
    await textOf(".off-chip").toBe("");
    await tabTo(".arcs");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.locator(".arcs").getAttribute("aria-valuenow"), PATIENCE).toBe("4");
    await tabTo(".heat-field");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".arcs").getAttribute("aria-valuenow"), PATIENCE).toBe("3");
    expect(await seriousFaults(page)).toEqual([]);
  });

  test("Train: each control is reached, and a model is trained, paused, stopped and used", async () => {
    const tiny = { layers: 1, heads: 2, channels: 32, context: 32, vocabulary: 300, sequences: 4 };
    const address = Object.entries(tiny).map(([name, value]) => `train.${name}=${value}`);
    await open(`#view=train&${address.join("&")}`, ".train-part");
    await page.locator(".train-course .main:enabled").waitFor();
    await allIsReached();
    await tabTo("#train-steps");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("100000");
    await tabTo(".train-course .main");
    await page.keyboard.press("Enter");
    await textOf(".train-course .main").toBe("Pause");
    await textOf(".train-numbers dd").toMatch(/^[1-9]/);
    await tabTo(".train-course .main");
    await page.keyboard.press("Enter");
    await textOf(".train-course .train-state").toBe("Paused");
    await allIsReached();
    await tabTo(".train-course .main + button");
    await page.keyboard.press("Enter");
    await textOf(".train-course .train-state").toBe("Stopped");
    await tabTo(".train-outcome .bar button");
    await page.keyboard.press("Enter");
    await textOf(".running-name").toMatch(/, step \d+$/);
    expect(await seriousFaults(page)).toEqual([]);
  });

  test("Models: each control is reached, and another model is loaded", async () => {
    await open("#view=models", "[data-value=first-text]");
    await allIsReached();
    await tabTo(".hub summary");
    await page.keyboard.press("Enter");
    await tabTo(".hub input[type=url]");
    await tabTo(".suggestions button");
    await page.keyboard.press("Enter");
    expect(await page.locator(".hub input[type=text]").inputValue()).not.toBe("");
    await tabTo("[aria-labelledby=shipped-title] button:enabled");
    await page.keyboard.press("Enter");
    await textOf(".running-name").toBe("Shakespeare");
    expect(await seriousFaults(page)).toEqual([]);
  });
});
