/** The contrast of two colours like `#1f2328` (WCAG 2.2, "contrast ratio"): from 1 to 21. */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** A colour as it looks through so much of another one. */
export function mixed(paper: string, colour: string, opacity: number): string {
  const [below, above] = [channels(paper), channels(colour)];
  const seen = below.map((value, i) => Math.round(value + (above[i]! - value) * opacity));
  return `#${seen.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function luminance(colour: string): number {
  const [red, green, blue] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}
