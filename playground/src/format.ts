// Numbers as the page shows them.

/** Three digits that say something, of a share of 1. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value === 0) return "0 %";
  if (value < 0.001) return "< 0.001 %";
  return `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3)} %`;
}

/** Surprise in bits of a natural log-probability. */
export function bitsOf(logprob: number): number {
  return -logprob / Math.LN2;
}

export function bits(value: number): string {
  return value === Number.POSITIVE_INFINITY ? "∞" : Math.abs(value).toFixed(value < 9.95 ? 2 : 1);
}

export function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return `${value.toFixed(value < 10 ? 1 : 0)} MB`;
}

/** 1234567 → "1,234,567" */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function seconds(milliseconds: number): string {
  return milliseconds < 9950 ? `${(milliseconds / 1000).toFixed(2)} s` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Tokens a second: no more digits than were measured. */
export function rate(value: number): string {
  return value < 10 ? value.toFixed(1) : count(value);
}
