// Pictures of the playground, as built in playground/dist, taken in Chromium: each part, light and dark, wide and on a phone, into
// .cache/screenshots, to be looked at. With --write, also the README's picture into docs/figures.
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM, previewPlayground } from "./playground-preview.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, ".cache/screenshots");
const README_PICTURE = "text-wide";
/** The README's picture is part of every clone. */
const MOST_BYTES = 150_000;

const WIDE = { width: 1280, height: 800 };
const WIDEST = { width: 1920, height: 1080 };
const PHONE = { width: 360, height: 740 };

const LONG = `The next morning she went down to the river, where the old man was mending his boat. "You are early," he said,
and did not look up. "I could not sleep," said the girl, "for thinking of what you told us." Internationalization is one word. `;

/** What is shown of each part: an address, and what is done until it is there. */
const SHOTS = {
  text: { hash: "#token=10", seen: ".beaten li" },
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
  long: { hash: `#token=120&text=${encodeURIComponent(LONG.repeat(4))}`, seen: ".beaten li" },
  "long-inside": { hash: `#view=inside&token=60&text=${encodeURIComponent(LONG)}`, seen: ".contributions td" },
  loading: {
    hash: "",
    before: (page) => page.route(/model\.safetensors$/, () => {}), // never answered
    seen: ".progress",
  },
  failure: {
    hash: "#view=models",
    async act(page) {
      await page.locator(".hub input[type=text]").fill("someone/nothing");
      await page.locator(".hub summary").click();
      await page.locator(".hub input[type=url]").fill("http://127.0.0.1:9");
      await page.getByRole("button", { name: "Download", exact: true }).click();
    },
    seen: "[role=alert]",
  },
  offer: { hash: "#model=openai-community/gpt2&off=h.0.attn.head.1&temperature=hot", seen: ".notices .mono" },
};

const server = await previewPlayground();
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu"],
});
mkdirSync(OUT, { recursive: true });
for (const [name, { hash, before, act, seen }] of Object.entries(SHOTS)) {
  const page = await browser.newPage({ viewport: WIDE, reducedMotion: "reduce" });
  await before?.(page);
  await page.goto(server.url + hash);
  await act?.(page);
  await page.locator(seen).first().waitFor();
  await page.waitForTimeout(500);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of [
      ["wide", WIDE],
      ["widest", WIDEST],
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
