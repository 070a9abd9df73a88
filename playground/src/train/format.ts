// Numbers that only this part shows.
import { megabytes } from "../format.ts";

/** Bytes in the unit that suits them. */
export function bytes(value: number): string {
  return value < 1e9 ? megabytes(value) : `${(value / 1e9).toFixed(1)} GB`;
}

/** Seconds as "1 min 20 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
