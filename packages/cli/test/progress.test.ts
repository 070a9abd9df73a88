import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgress, formatBytes } from "../src/progress.ts";

it("sizes read well", () => {
  const sizes = [0, 999, 1000, 3_833_600, 548_105_171, 6.4e9];
  expect(sizes.map(formatBytes)).toEqual(["0 B", "999 B", "1.0 kB", "3.8 MB", "548 MB", "6.4 GB"]);
});

describe("a bar at a terminal", () => {
  let written = "";
  const terminal = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        written += chunk;
        done();
      },
    }),
    { isTTY: true, columns: 80, cursorTo: () => true, clearLine: () => true, moveCursor: () => true },
  ) as unknown as NodeJS.WriteStream;

  beforeEach(() => {
    written = "";
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it("is not there for work that ends at once", () => {
    const progress = createProgress("bytes", terminal);
    progress.start(100);
    progress.update(50, "model");
    vi.advanceTimersByTime(200);
    progress.note("half of it");
    progress.update(100);
    progress.stop();
    vi.advanceTimersByTime(10_000);
    expect(written).toBe("half of it\n");
  });

  it("comes for work that lasts, whether it leaves time to others or not, and says what was said before", () => {
    for (const wait of [
      (ms: number) => vi.advanceTimersByTime(ms),
      (ms: number) => vi.setSystemTime(Date.now() + ms),
    ]) {
      written = "";
      const progress = createProgress("items", terminal);
      progress.start(10);
      progress.update(4, "model");
      wait(1000);
      progress.update(5);
      vi.advanceTimersByTime(1000);
      expect(written).toMatch(/model .* 50% \| 5\/10/);
      progress.stop();
    }
  });
});
