import type { Encoding } from "./encoding.ts";

const bytes = (rows: number, columns: number): number => 4 * rows * columns;

/** As float32. */
export const f32 = {
  name: "f32",
  fileBytes: bytes,
  deviceBytes: bytes,
  round: undefined,
  arithmetic: "f32",
  file: undefined,
  integers: undefined,
} as const satisfies Encoding;
