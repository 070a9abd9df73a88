import { chromium } from "playwright-core";
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
    async open(server, path): Promise<OpenPage> {
      const page = await browser.newPage();
      const failures: string[] = [];
      page.on("pageerror", (error) => failures.push(error.message));
      page.on("crash", () => failures.push("the page crashed"));
      await page.goto(server.url + path);
      await page
        .waitForFunction(() => "carryOutOrder" in globalThis, undefined, { timeout: 10_000 })
        .catch((error) => {
          throw new Error(`the page did not start: ${failures.join("; ") || error.message}`);
        });
      return {
        async carryOut(order) {
          const answer = await page.evaluate((order) => globalThis.carryOutOrder(order), order);
          if (failures.length > 0) throw new Error(`uncaught in the page: ${failures.splice(0).join("; ")}`);
          return answer;
        },
        workers: () => page.workers().length,
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}
