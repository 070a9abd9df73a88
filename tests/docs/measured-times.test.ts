import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { ROOT } from "./documents.ts";
import { timeLimitsIn } from "./measured-times.ts";

const testFolders = [
  ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/test`),
  ...["benchmarks/test", "playground/test", "tests"],
].filter((folder) => existsSync(join(ROOT, folder)));

// Of those in tests/kill any moment is right.
const testFiles = testFolders.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((name) => /\.ts$/.test(name) && !/node_modules|measured-times\.test|^tests\/kill\//.test(name)),
);

test("no test compares a time with an upper limit, waits less than half a minute for what is to come, or interrupts by a timer", () => {
  expect(testFiles.length).toBeGreaterThan(200);
  expect(testFiles.flatMap((name) => timeLimitsIn(name, readFileSync(join(ROOT, name), "utf8")))).toEqual([]);
});

describe("the search for such tests", () => {
  const begin = "const begin = performance.now();\n";

  it.each([
    `${begin}expect(performance.now() - begin).toBeLessThan(SOON);`,
    `${begin}const took = performance.now() - begin;\nexpect(took / 1000).toBeLessThanOrEqual(5);`,
    `${begin}expect(Date.now()).not.toBeGreaterThan(begin + 500);`,
    `${begin}expect(5000).toBeGreaterThan(performance.now() - begin);`,
    `${begin}expect(performance.now() - begin < 1000).toBe(true);`,
    "const start = process.cpuUsage();\nexpect(process.cpuUsage(start).user / 1e6).toBeLessThan(6);",
    "const { user, system } = process.cpuUsage();\nexpect(user + system).toBeLessThan(6);",
    "const timeOf = async (run) => { const at = Date.now(); await run(); return Date.now() - at; };\nexpect(await timeOf(work)).toBeLessThan(9);",
    "function clock() { return performance.now(); }\nlet last = 0;\nlast = clock();\nexpect.soft(last).toBeLessThan(9);",
    "expect(parse(new Date(Date.now() + 5000))).toBeCloseTo(5);",
    "it('waits', { timeout: 5_000 }, work);",
    "await expect.poll(found, { timeout: 8000, interval: 20 }).toBe(1);",
    "export default defineConfig({ test: { testTimeout: 10_000 } });",
    "execFileSync(process.execPath, args, { timeout: 20_000 });",
    "setTimeout(() => controller.abort(reason), 20);",
    "setTimeout(() => {\n  scheduler.cancel(first);\n}, delay);",
    "train(text, { signal: AbortSignal.timeout(60) });",
  ])("finds %j", (text) => {
    expect(timeLimitsIn("x.ts", text)).toHaveLength(1);
  });

  it.each([
    `${begin}expect(performance.now() - begin).toBeGreaterThan(1900);`,
    `${begin}expect(performance.now() - begin).not.toBeLessThan(1900);`,
    "const [begin, before] = [performance.now(), memory()];\nexpect(memory() - before).toBeLessThan(1e6);",
    "for (const end = performance.now() + 25; performance.now() < end; );\nexpect(steps.length).toBeLessThan(10);",
    "const late = Date.now() + MINUTE;\nwhile (Date.now() < late) await turn();\nexpect({ late: 1 }.late).toBeLessThan(2);",
    "setTimeout(() => controller.abort(reason));\nsetTimeout(() => response.destroy(), 20);",
    "it('waits', { timeout: 30_000 }, work);\nopen(url, { stallTimeout: 200 });\nserve({ timeout: 100 });",
  ])("leaves %j alone", (text) => {
    expect(timeLimitsIn("x.ts", text)).toEqual([]);
  });
});
