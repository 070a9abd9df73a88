// Pictures of the playground, as built in playground/dist, taken in Chromium: each part, light and dark, wide and on a phone, into
// .cache/screenshots, to be looked at. With --write, also the README's picture into docs/figures.
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, ".cache/screenshots");
const README_PICTURE = "text-wide";
/** The README's picture is part of every clone. */
const MOST_BYTES = 150_000;

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

/** What is shown of each part: an address, and what is done until it is there. */
const SHOTS = {
  text: { hash: "#text=To+be,+or+not+to+be:+that+is+the+question.&token=5", seen: ".beaten li" },
  code: { hash: "#view=code&token=5", seen: ".row-numbers" },
  inside: { hash: "#view=inside&token=5", seen: ".contributions td" },
  train: {
    hash: "#view=train&train.steps=40&train.layers=1&train.rate=0.01",
    async act(page) {
      await page.getByRole("button", { name: "The House That Jack Built" }).click();
      await page.locator(".train-course .main").click();
      await page.getByText("Finished", { exact: true }).waitFor({ timeout: 120_000 });
    },
    seen: ".train-outcome",
  },
  models: { hash: "#view=models", seen: "[data-value=first-text]" },
};

const server = await preview({
  root: join(ROOT, "playground"),
  logLevel: "error",
  preview: { host: "127.0.0.1", port: 0 },
});
const url = server.resolvedUrls.local[0];
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
mkdirSync(OUT, { recursive: true });
for (const [name, { hash, act, seen }] of Object.entries(SHOTS)) {
  const page = await browser.newPage({ viewport: WIDE, reducedMotion: "reduce" });
  await page.goto(url + hash);
  await act?.(page);
  await page.locator(seen).first().waitFor();
  await page.waitForTimeout(500);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of [
      ["wide", WIDE],
      ["phone", PHONE],
    ]) {
      await page.setViewportSize(viewport);
      await page.waitForTimeout(200);
      await page.screenshot({ path: join(OUT, `${name}-${size}-${colorScheme}.png`) });
      await page.screenshot({ path: join(OUT, `${name}-${size}-${colorScheme}-whole.png`), fullPage: true });
    }
    await page.setViewportSize(WIDE);
  }
  await page.close();
}
await browser.close();
await server.close();

if (process.argv.includes("--write")) {
  for (const theme of ["light", "dark"]) {
    const from = join(OUT, `${README_PICTURE}-${theme}.png`);
    const { size } = statSync(from);
    if (size > MOST_BYTES)
      throw new Error(`${from} has ${size} bytes; a picture of the README has at most ${MOST_BYTES}`);
    copyFileSync(from, join(ROOT, `docs/figures/playground${theme === "dark" ? "-dark" : ""}.png`));
  }
}
