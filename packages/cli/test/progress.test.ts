import { expect, it } from "vitest";
import { formatBytes } from "../src/progress.ts";

it("sizes read well", () => {
  const sizes = [0, 999, 1000, 3_833_600, 548_105_171, 6.4e9];
  expect(sizes.map(formatBytes)).toEqual(["0 B", "999 B", "1.0 kB", "3.8 MB", "548 MB", "6.4 GB"]);
});
