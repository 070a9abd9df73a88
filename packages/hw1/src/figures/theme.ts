/** Colours of a figure. Each theme has a background of its own, so a figure can be read wherever it is shown. */
export interface Theme {
  readonly name: "light" | "dark";
  readonly background: string;
  readonly ink: string;
  /** For what is less important: second lines, frames. */
  readonly muted: string;
  /** For up to three series: told apart with every kind of colour vision (Okabe and Ito, "Color universal design", 2008). */
  readonly series: readonly [string, string, string];
  /**
   * From likely to unlikely tokens. Lightness goes one way only, away from the background: it can be read without any
   * colour vision, and the unlikely stands out.
   */
  readonly surprise: readonly [string, string, string];
}

export const LIGHT: Theme = {
  name: "light",
  background: "#ffffff",
  ink: "#1f2328",
  muted: "#59636e",
  series: ["#d55e00", "#0072b2", "#009e73"],
  surprise: ["#ffffff", "#f5a35c", "#7a2600"],
};

export const DARK: Theme = {
  name: "dark",
  background: "#0d1117",
  ink: "#f0f6fc",
  muted: "#9aa4af",
  series: ["#ff9a4d", "#56b4e9", "#2fcf9f"],
  surprise: ["#161b22", "#a9540f", "#ffe2bd"],
};

/**
 * The WCAG 2 contrast of two colours like `#1f2328`: from 1 (the same) to 21 (black on white). Text needs 4.5.
 *
 * Source: Web Content Accessibility Guidelines 2.2, "contrast ratio" and "relative luminance".
 */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The colour at `share` of the way along evenly spaced `stops`, `#rrggbb`; from the first below 0 to the last above 1. */
export function colourAt(stops: readonly string[], share: number): string {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const from = channels(stops[low]!);
  const to = channels(stops[low + 1]!);
  const mixed = from.map((value, i) => Math.round(value + (to[i]! - value) * (at - low)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}
