import type { Answer, Checks, Order } from "../page/orders.ts";
import { startChromium } from "./chromium.ts";
import type { BrowserName } from "./find-browser.ts";
import { startFirefox } from "./firefox.ts";
import type { PageServer } from "./page-server.ts";

/** A running browser. */
export interface Browser {
  /** Opens a page of the server that carries out checks, in a profile of its own. */
  open(server: PageServer, path: string): Promise<OpenPage>;
  close(): Promise<void>;
}

/** A page that carries out checks, one at a time. */
export interface OpenPage {
  carryOut(order: Order): Promise<Answer>;
  /** Workers of the page that are alive; undefined where the driver cannot tell. */
  workers(): number | undefined;
  /** Loads the page anew. */
  reload?(): Promise<void>;
  /** Opens the same address in another tab of the same profile. Only where a driver can, as what follows. */
  openBeside?(): Promise<OpenPage>;
  /** Lets the page's site keep so many bytes. */
  limitStorage?(bytes: number | undefined): Promise<void>;
  close(): Promise<void>;
}

export async function startBrowser(name: BrowserName, program: string): Promise<Browser> {
  return name === "chromium" ? startChromium(program) : startFirefox(program);
}

let orders = 0;

/** What runs one of these checks in a page and throws what it threw. */
export function checkOf<All extends Readonly<Record<keyof All, (...args: never[]) => unknown>>>() {
  return async <Name extends keyof All & string>(
    page: OpenPage,
    name: Name,
    ...args: Parameters<All[Name]>
  ): Promise<Awaited<ReturnType<All[Name]>>> => {
    const answer = await page.carryOut({ id: ++orders, name, args });
    if ("failure" in answer) throw new Error(`${name} failed in the page: ${answer.failure}`);
    return answer.result as Awaited<ReturnType<All[Name]>>;
  };
}

/** Runs a check of page/checks.ts. */
export const check = checkOf<Checks>();
