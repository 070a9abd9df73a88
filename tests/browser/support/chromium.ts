import { type BrowserContext, chromium } from "playwright-core";
import type { Browser, OpenPage } from "./browser.ts";

const flags = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What makes WebGPU and WebGL2 work without a GPU, on the software adapter that comes with Chromium. */
export const gpuFlags = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-unsafe-swiftshader"];

/** Chromium, driven over its debugging protocol, with a new empty profile. */
export async function startChromium(program: string, gpu: readonly string[] = ["--disable-gpu"]): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: program, headless: true, args: [...flags, ...gpu] });
  return {
    open: async (server, path) => openIn(await browser.newContext(), server.url, path),
    close: () => browser.close(),
  };
}

async function openIn(context: BrowserContext, origin: string, path: string): Promise<Required<OpenPage>> {
  const page = await context.newPage();
  const failures: string[] = [];
  page.on("pageerror", (error) => failures.push(error.message));
  page.on("crash", () => failures.push("the page crashed"));
  const started = () =>
    page
      .waitForFunction(() => "carryOutOrder" in globalThis, undefined, { timeout: 60_000 })
      .catch((error) => {
        throw new Error(`the page did not start: ${failures.join("; ") || error.message}`);
      });
  await page.goto(origin + path);
  await started();
  return {
    async carryOut(order) {
      const answer = await page.evaluate((order) => globalThis.carryOutOrder(order), order);
      if (failures.length > 0) throw new Error(`uncaught in the page: ${failures.splice(0).join("; ")}`);
      return answer;
    },
    workers: () => page.workers().length,
    async reload() {
      await page.reload();
      await started();
    },
    openBeside: () => openIn(context, origin, path),
    async limitStorage(bytes) {
      const session = await context.newCDPSession(page);
      await session.send("Storage.overrideQuotaForOrigin", {
        origin,
        ...(bytes !== undefined && { quotaSize: bytes }),
      });
      // The limit lasts as long as the session.
      if (bytes === undefined) await session.detach();
    },
    async close() {
      await page.close();
      if (context.pages().length === 0) await context.close();
    },
  };
}
