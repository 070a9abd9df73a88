import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { affordableWorkers } from "../../src/backends/wasm/address-space.ts";
import { transpiledSources } from "./transpiled.ts";

const GIB = 2 ** 30;

let folder: string;
beforeAll(() => {
  folder = transpiledSources();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a program that uses a wasm backend says, in a process with so many GiB of addresses. */
function limited(gibibytes: number, body: string, flags: readonly string[] = []): string {
  const program = `
    const { createWasmBackend } = await import(${JSON.stringify(pathToFileURL(join(folder, "backends/wasm/index.js")).href)});
    try {
      ${body}
    } catch (error) {
      console.log(error.name, error.message);
    }
    process.exit();`;
  const command = `ulimit -v ${gibibytes * 1024 * 1024} && exec "$0" "$@"`;
  const args = ["-c", command, process.execPath, ...flags, "--input-type=module", "-e", program];
  const { stdout, stderr, status } = spawnSync("sh", args, { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.trimEnd();
}

describe.runIf(process.platform === "linux")("in a process with few addresses", () => {
  const noGuards = ["--disable-wasm-trap-handler"];

  // Later versions of Node do without guard pages by themselves.
  it.runIf(Number.parseInt(process.versions.node, 10) < 24).each([1, 2])(
    "the wasm backend says that ulimit -v is too low, and what to do (%d threads)",
    (threads) => {
      const message = limited(6, `createWasmBackend({ threads: ${threads} });`);
      expect(message).toContain(
        "DeviceError wasm: too few addresses for a WebAssembly memory: ulimit -v allows 6.0 GiB",
      );
      expect(message).toContain("NODE_OPTIONS=--disable-wasm-trap-handler");
    },
  );

  it("it works as its message says, with a smaller memory if need be", () => {
    const work = `
      const backend = createWasmBackend({ threads: 1 });
      backend.runtime.run("faultJob", 8, [0]);
      backend.allocate("float32", 2 ** 20);
      try {
        for (let i = 0; ; i++) backend.allocate("float32", 2 ** 26).retain();
      } catch (error) {
        console.log(error.message);
      }`;
    // 3 GiB of addresses in all, or 2: V8 alone would fall from the 4 GiB asked for to next to nothing.
    for (const gibibytes of [3, 2]) {
      const [, used, most] = /out of memory: 256 MiB asked for, (\d+) MiB in use of at most (\d+) MiB/.exec(
        limited(gibibytes, work, noGuards),
      )!;
      expect(Number(used)).toBeGreaterThanOrEqual(256);
      expect(Number(most)).toBeLessThan(1024 * gibibytes);
    }
  });

  it("it takes as many threads as there are addresses for, and says so", () => {
    const work = `
      const backend = createWasmBackend({ threads: 16 });
      backend.runtime.run("faultJob", 64, [0]);
      console.log(backend.info().threads, backend.notice);`;
    const [threads, notice] = limited(16, work).split(/ (.*)/);
    expect(Number(threads)).toBeGreaterThan(1);
    expect(Number(threads)).toBeLessThan(8);
    expect(notice).toBe(`the wasm device runs on ${threads} of 16 threads: ulimit -v leaves no addresses for more`);
    expect(limited(5, work, noGuards)).toMatch(/^1 the wasm device runs on 1 of 16 threads/);
    expect(limited(64, work)).toBe("16 undefined");
  });
});

describe("affordableWorkers", () => {
  it("leaves what one worker takes to the program", () => {
    expect(affordableWorkers({ limit: 16 * GIB, used: 11 * GIB })).toBe(4);
    expect(affordableWorkers({ limit: 12 * GIB, used: 11.5 * GIB })).toBe(0);
    expect(affordableWorkers({ limit: 11 * GIB, used: 12 * GIB })).toBe(0);
  });
});
