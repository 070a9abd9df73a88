// `npm run bench:first-text`: how long the built playground takes from the opening of its page to the first text with probabilities, with
// the shipped model, in Chromium. Medians of several visits (least and most); another number of them: `-- --visits 21`.
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { CHROMIUM, previewPlayground } from "./playground-preview.mjs";

const { values } = parseArgs({ options: { visits: { type: "string", default: "9" } } });
const visits = Number(values.visits);
if (!Number.isInteger(visits) || visits < 1)
  throw new Error(`--visits: expected an integer from 1, got ${values.visits}`);

/** Milliseconds of a visit in this profile, as the page itself takes them. */
async function visit(context, url) {
  const page = await context.newPage();
  await page.goto(`${url}#view=text`);
  await page.locator(".tokens .token:not(.given):not(.next)").first().waitFor();
  await page.getByRole("tab", { name: "Models" }).click();
  const shown = await page.locator("[data-value=first-text]").textContent();
  await page.close();
  return 1000 * Number.parseFloat(shown);
}

function described(times) {
  const [least, middle, most] = [0, 0.5, 1].map(
    (share) => times.toSorted((a, b) => a - b)[Math.round(share * (times.length - 1))],
  );
  return `${middle.toFixed(0)} (${least.toFixed(0)}–${most.toFixed(0)})`;
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const table = {};
for (const isolated of [true, false]) {
  const server = await previewPlayground({ isolated });
  const times = { first: [], next: [] };
  for (let i = 0; i < visits; i++) {
    const context = await browser.newContext(); // with nothing kept
    times.first.push(await visit(context, server.url));
    times.next.push(await visit(context, server.url));
    await context.close();
  }
  table[isolated ? "threads" : "one thread"] = {
    "first visit, ms": described(times.first),
    "next visit, ms": described(times.next),
  };
  await server.close();
}
await browser.close();
console.log(`Medians of ${visits} visits each (least–most):`);
console.table(table);
