import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Answer, Order } from "../page/orders.ts";
import type { Browser, OpenPage } from "./browser.ts";
import type { PageServer } from "./page-server.ts";

/** Nothing that asks the user or the network. */
const preferences = {
  "app.update.disabledForTesting": true,
  "browser.aboutwelcome.enabled": false,
  "browser.sessionstore.resume_from_crash": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "toolkit.startup.max_resumed_crashes": -1,
};

/** How long the page may take to ask for its first order. */
const START_MS = 30_000;

/**
 * Firefox without a driver (playwright needs a build of its own): each page is a process that is started at the page's
 * address, fetches its orders from the server and posts its answers.
 */
export async function startFirefox(program: string): Promise<Browser> {
  const pages = new Set<OpenPage>();
  return {
    async open(server, path) {
      const profile = await mkdtemp(join(tmpdir(), "gpt2-ts-firefox-"));
      const lines = Object.entries(preferences).map(
        ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
      );
      await writeFile(join(profile, "user.js"), lines.join("\n"));
      const orders = new OrderQueue(server);
      const url = `${server.url}${path}${path.includes("?") ? "&" : "?"}orders`;
      const process = spawn(program, ["--headless", "--no-remote", "--profile", profile, url], { stdio: "ignore" });
      const page: OpenPage = {
        carryOut: (order) => orders.give(order),
        workers: () => undefined,
        async close() {
          pages.delete(page);
          orders.stop();
          await ended(process);
          await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
        },
      };
      pages.add(page);
      await orders.started(process);
      return page;
    },
    async close() {
      for (const page of pages) await page.close();
    },
  };
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exit = once(process, "exit");
  process.kill();
  await exit;
}

/** Hands orders to the page that asks for them (by long polling) and the answers back. */
class OrderQueue {
  readonly #server: PageServer;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #firstAsked: Promise<void>;
  #asked: () => void = () => {};
  #waiting: ServerResponse | undefined;
  #next: Order | undefined;

  constructor(server: PageServer) {
    this.#server = server;
    this.#firstAsked = new Promise((resolve) => {
      this.#asked = resolve;
    });
    server.handlers.set("/orders/next", (_, response) => {
      this.#waiting = response;
      this.#asked();
      this.#deliver();
    });
    server.handlers.set("/orders/answer", async (request, response) => {
      const answer = JSON.parse(await text(request)) as Answer;
      response.end();
      this.#answers.get(answer.id)?.(answer);
      this.#answers.delete(answer.id);
    });
  }

  /** Resolves when the page has asked for its first order. */
  async started(process: ChildProcess): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const failed = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("the page did not start")), START_MS);
      process.once("error", reject);
      process.once("exit", (code) => reject(new Error(`firefox ended with status ${code}`)));
    });
    await Promise.race([this.#firstAsked, failed]).finally(() => clearTimeout(timer));
  }

  give(order: Order): Promise<Answer> {
    return new Promise((resolve) => {
      this.#answers.set(order.id, resolve);
      this.#next = order;
      this.#deliver();
    });
  }

  stop(): void {
    this.#server.handlers.clear();
    this.#waiting?.writeHead(204).end();
  }

  #deliver(): void {
    if (this.#waiting === undefined || this.#next === undefined) return;
    this.#waiting.setHeader("content-type", "application/json");
    this.#waiting.end(JSON.stringify(this.#next));
    this.#waiting = undefined;
    this.#next = undefined;
  }
}
