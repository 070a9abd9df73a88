import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBrowser, howToInstall } from "../browser/support/find-browser.ts";
import { pages, serveSite } from "./built-site.ts";

/** axe-core, which `npm run site` installs beside VitePress. */
const AXE = fileURLToPath(new URL("../../site/node_modules/axe-core/axe.min.js", import.meta.url));

/** Pages of code of a kind that are looked at: the others differ in their text only. TypeDoc's pages look as TypeDoc has them. */
const OF_A_KIND = 1;
const TABS = 2;

/** The playground's parts, and what is there once a part is. */
const PARTS = new Map([
  ["playground/index.html#view=text&token=5", ".beaten li"],
  ["playground/index.html#view=code&token=5", ".row-numbers"],
  ["playground/index.html#view=inside&token=5", ".contributions td"],
  ["playground/index.html#view=train", ".train-part"],
  ["playground/index.html#view=models", "[data-value=first-text]"],
]);

/** The part of axe's report that is read. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

const program = findBrowser("chromium");

describe.runIf(program !== undefined || process.env["CI"])("axe finds no serious fault", () => {
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

  const axe = readFileSync(AXE, "utf8");

  test.for(["light", "dark"] as const)("in %s", { timeout: 600_000 }, async (colorScheme) => {
    const faults: string[] = [];
    const waiting = [...PARTS.keys(), ...someOfEachKind()];
    expect(waiting.length).toBeGreaterThan(50);
    const lookAtSome = async (): Promise<void> => {
      const context = await browser.newContext({ colorScheme, reducedMotion: "reduce" });
      await context.addInitScript(axe);
      const tab = await context.newPage();
      for (let page = waiting.shift(); page !== undefined; page = waiting.shift()) {
        await tab.goto("about:blank"); // or else another part of the same page would not load it anew
        await tab.goto(url + page, { waitUntil: "load" });
        const shown = PARTS.get(page);
        if (shown !== undefined) await tab.locator(shown).first().waitFor();
        const violations = await tab.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: unknown }> } };
          return (await axe.run({ resultTypes: ["violations"] })).violations as Violation[];
        });
        for (const { id, impact, nodes } of violations) {
          if (impact !== "serious" && impact !== "critical") continue;
          faults.push(
            `${page}: ${id}, ${nodes.length} times: ${nodes[0]!.target.join(" ")}: ${nodes[0]!.failureSummary}`,
          );
        }
      }
      await context.close();
    };
    await Promise.all(Array.from({ length: TABS }, lookAtSome));
    expect(faults).toEqual([]);
  });
});

function someOfEachKind(): string[] {
  const kinds = new Map<string, number>();
  return pages.filter((page) => {
    if (page === "playground/index.html") return false; // its parts are looked at
    if (page.startsWith("api/")) return false;
    const kind = /^code\//.test(page) ? page.split("/").slice(0, 2).join("/") : undefined;
    const count = kind === undefined ? 0 : (kinds.get(kind) ?? 0);
    if (kind !== undefined) kinds.set(kind, count + 1);
    return count < OF_A_KIND;
  });
}
