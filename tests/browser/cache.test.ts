import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HubServer } from "../../packages/gpt2/test/hub/hub-server.ts";
import { carryOut } from "./page/orders.ts";
import { type Browser, check, type OpenPage, startBrowser } from "./support/browser.ts";
import { findBrowser, howToInstall } from "./support/find-browser.ts";
import type { PageServer } from "./support/page-server.ts";
import { repository } from "./support/paths.ts";
import { startSite } from "./support/site.ts";

const NAME = "org/bard";
const FILES = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
const files: Record<string, Uint8Array> = {};
let site: PageServer;
let hub: HubServer;
let endpoint: string;
const bits = new Map<string | undefined, string>();

beforeAll(async () => {
  site = await startSite(false);
  for (const name of FILES) files[name] = await readFile(repository(`weights/shakespeare/${name}`));
  for (const dtype of [undefined, "int8"] as const) {
    const args = [{ url: `${site.url}/weights/shakespeare`, deterministic: true, dtype }];
    const answer = await carryOut({ id: 0, name: "textBits", args });
    bits.set(dtype, "result" in answer ? (answer.result as string) : answer.failure);
  }
});
afterAll(() => site?.stop());

const checkpointSize = () => files["model.safetensors"]!.length;
/** Requests for bytes of the checkpoint. */
const transfers = () => hub.transfers("model.safetensors").filter(({ server }) => server === "cdn");

for (const name of ["chromium", "firefox"] as const) {
  const program = findBrowser(name);
  if (program === undefined) {
    console.warn(`Tests in ${name} are skipped: ${howToInstall(name)}.`);
    continue;
  }
  describe(`models that ${name} keeps`, () => {
    let browser: Browser;
    let page: OpenPage;
    beforeAll(async () => {
      browser = await startBrowser(name, program);
      page = await browser.open(site, "/page.html");
      hub = await HubServer.start();
      endpoint = hub.url;
      hub.commit(NAME, files);
    });
    afterAll(async () => {
      await page?.close();
      await browser?.close();
      await hub?.stop();
    });

    test("a download that was stopped is continued, verified and loaded", async () => {
      hub.throttle = { bytes: 2 ** 18, ms: 5 };
      const stopped = await check(page, "visit", { name: NAME, endpoint, stopAfter: checkpointSize() / 2 });
      expect(stopped.error?.name).toBe("AbortError");
      const [part] = await check(page, "kept");
      expect(part).toMatchObject({ name: NAME, dtype: "original", complete: false });
      await page.reload?.();
      hub.requests.length = 0;
      const { events, warnings, resumed, bits: found } = await check(page, "visit", { name: NAME, endpoint });
      expect({ warnings, bits: found }).toEqual({ warnings: [], bits: bits.get(undefined) });
      expect(resumed).toBeGreaterThan(checkpointSize() / 3);
      expect(transfers().map(({ headers }) => headers.range)).toEqual([`bytes=${resumed}-`]);
      expect(Object.keys(events)).toEqual(expect.arrayContaining(["start", "bytes", "verify", "file", "done", "load"]));
      expect(await check(page, "kept")).toMatchObject([{ name: NAME, dtype: "original", complete: true }]);
    });

    test("a page that watches is told when what came of a worker's download is kept", async () => {
      await check(page, "deleteKept", {});
      hub.throttle = { bytes: 2 ** 18, ms: 5 };
      const stopped = { name: NAME, endpoint, stopAfter: checkpointSize() / 2 };
      const found = await check(page, "stoppedInWorker", stopped);
      expect(found).toMatchObject([{ name: NAME, dtype: "original", complete: false }]);
      expect(found[0]!.bytes).toBeGreaterThan(checkpointSize() / 3);
      hub.throttle = undefined;
      expect((await check(page, "visit", { name: NAME, endpoint })).bits).toBe(bits.get(undefined));
    });

    test("the next visit asks for the branch and reads nothing else", async () => {
      await page.reload?.();
      hub.requests.length = 0;
      expect((await check(page, "visit", { name: NAME, endpoint })).bits).toBe(bits.get(undefined));
      expect(hub.requests.map(({ path }) => path)).toEqual([`/api/models/${NAME}/revision/main`]);
      expect((await check(page, "visit", { name: NAME, endpoint, offline: true })).bits).toBe(bits.get(undefined));
      expect(hub.requests).toHaveLength(1);
    });

    test("int8 is converted once, after which only that is read", async () => {
      expect(await check(page, "deleteKept", {})).toHaveLength(1);
      const first = await check(page, "visit", { name: NAME, endpoint, dtype: "int8" });
      expect({ error: first.error, bits: first.bits }).toEqual({ error: undefined, bits: bits.get("int8") });
      expect(first.events["convert"]).toBeGreaterThan(10);
      const [kept, ...others] = await check(page, "kept");
      expect([kept!.dtype, others]).toEqual(["int8", []]);
      expect(kept!.bytes).toBeLessThan(0.31 * checkpointSize());
      hub.requests.length = 0;
      const { events, bits: found } = await check(page, "visit", { name: NAME, endpoint, dtype: "int8" });
      expect(found).toBe(bits.get("int8"));
      expect(Object.keys(events).sort()).toEqual(["done", "load"]);
      expect(hub.requests).toHaveLength(1);
    });

    test("two workers, to storage what two tabs are, download a model once", async () => {
      await check(page, "deleteKept", {});
      hub.throttle = { bytes: 2 ** 18, ms: 20 };
      hub.requests.length = 0;
      const visits = await check(page, "twoVisits", { name: NAME, endpoint });
      expect(visits.map((visit) => visit.bits)).toEqual([bits.get(undefined), bits.get(undefined)]);
      expect(visits.map(({ events }) => events["wait"] ?? 0).sort()).toEqual([0, 1]);
      expect(transfers()).toHaveLength(1);
      hub.throttle = undefined;
    });

    test("where nothing can be kept, the model is read from the hub, with a notice", async () => {
      hub.requests.length = 0;
      const { warnings, bits: found } = await check(page, "visitWithoutStorage", { name: NAME, endpoint });
      expect(found).toBe(bits.get(undefined));
      expect(warnings).toEqual([
        expect.stringMatching(/^org\/bard is read from 127.+ and not kept: there is no storage/),
      ]);
      expect(transfers().length).toBeGreaterThan(0);
      expect((await check(page, "visit", { name: NAME, endpoint, cache: false })).warnings).toEqual([]);
    });

    if (name === "chromium") {
      test("too little space is an error that says how much is needed", async () => {
        await check(page, "deleteKept", {});
        await page.limitStorage?.(1_500_000);
        const { error } = await check(page, "visit", { name: NAME, endpoint });
        expect(error).toMatchObject({ name: "HubError", code: "disk-full" });
        expect(error!.needed).toBe(checkpointSize()); // what came before was written
        expect(error!.message).toContain("needs 4 MB; delete other models");
        await page.limitStorage?.(undefined);
        expect((await check(page, "visit", { name: NAME, endpoint })).bits).toBe(bits.get(undefined));
      });

      test("a quota that is exceeded before anything begins is told as that, at first and when a download goes on", async () => {
        const isFull = async () => {
          await page.limitStorage?.(1);
          const { error } = await check(page, "visit", { name: NAME, endpoint });
          expect(error).toMatchObject({ name: "HubError", code: "disk-full" });
          expect(error!.message).toMatch(
            /^the browser lets this site keep no more, and org\/bard needs .*; delete other/,
          );
          await page.limitStorage?.(undefined);
        };
        await check(page, "deleteKept", {});
        await isFull();
        hub.throttle = { bytes: 2 ** 18, ms: 5 };
        await check(page, "visit", { name: NAME, endpoint, stopAfter: checkpointSize() / 2 });
        hub.throttle = undefined;
        await isFull();
        expect((await check(page, "visit", { name: NAME, endpoint })).bits).toBe(bits.get(undefined));
      });

      test("another tab has it too, and a tab that is closed during a download leaves no lock", async () => {
        const beside = (await page.openBeside?.())!;
        hub.requests.length = 0;
        expect((await check(beside, "visit", { name: NAME, endpoint })).bits).toBe(bits.get(undefined));
        expect(transfers()).toEqual([]);
        await check(page, "deleteKept", {});
        hub.throttle = { bytes: 2 ** 17, ms: 20 };
        const lost = check(beside, "visit", { name: NAME, endpoint }).catch(() => "closed");
        await expect.poll(() => transfers().length).toBe(1);
        const waiting = check(page, "visit", { name: NAME, endpoint });
        await beside.close();
        expect(await lost).toBe("closed");
        expect((await waiting).bits).toBe(bits.get(undefined));
        hub.throttle = undefined;
      });
    }

    test("without a network the model opens all the same", async () => {
      await hub.stop();
      await page.reload?.();
      const { bits: found, events } = await check(page, "visit", { name: NAME, endpoint });
      expect(found).toBe(bits.get(undefined));
      expect(Object.keys(events).sort()).toEqual(["done", "load"]);
      const { error } = await check(page, "visit", { name: "org/other", endpoint });
      expect(error).toMatchObject({ name: "HubError", code: "unreachable" });
    });
  });
}
