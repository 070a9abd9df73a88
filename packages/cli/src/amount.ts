// Numbers as the command tells them to people.

/** `1234`, `"token"` → `1,234 tokens` */
export function amount(count: number, unit: string): string {
  return `${grouped(count)} ${unit}${count === 1 ? "" : "s"}`;
}

/** `1234567` → `1,234,567` */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** Seconds: `75` → `1 min 15 s` */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
