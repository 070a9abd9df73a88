/** Which colours a drawing has: those of a theme, or (`auto`) those that the reader's system prefers. */
export type ThemeName = "auto" | "light" | "dark";

interface Colours {
  readonly paper: string;
  readonly ink: string;
  /** For what is less important. */
  readonly muted: string;
  readonly frame: string;
  /** Shares of one whole, such as attention and probability: the more, the stronger. */
  readonly share: string;
  readonly surprise: string;
  /** What pushes a logit up, and down: told apart with every kind of colour vision. */
  readonly up: string;
  readonly down: string;
}

const light: Colours = {
  paper: "#ffffff",
  ink: "#1f2328",
  muted: "#59636e",
  frame: "#d1d9e0",
  share: "#4f46e5",
  surprise: "#e8590c",
  up: "#0b8a6a",
  down: "#c2255c",
};

const dark: Colours = {
  paper: "#0d1117",
  ink: "#f0f6fc",
  muted: "#9aa4af",
  frame: "#3d444d",
  share: "#7c83ff",
  surprise: "#ff8c42",
  up: "#2fbf97",
  down: "#f06595",
};

/** Each letter of model.ts's shapes has one colour in every picture: `[light, dark]`. */
export const LETTERS = {
  T: ["#0969da", "#58a6ff"],
  C: ["#1a7f37", "#3fb950"],
  H: ["#bc4c00", "#f0883e"],
  D: ["#8250df", "#bc8cff"],
  F: ["#7d5600", "#d9a514"],
  V: ["#cf222e", "#ff7b72"],
} as const;

export type Letter = keyof typeof LETTERS;

/** The style sheet of a theme, for elements below the class `gpt2-NAME`: it may stand in a page beside others. */
export function styleOf(theme: ThemeName): string {
  if (theme !== "auto") return rules(theme, theme);
  return `${rules(theme, "light")}@media (prefers-color-scheme: dark){${rules(theme, "dark")}}`;
}

function rules(theme: ThemeName, colours: "light" | "dark"): string {
  const { paper, ink, muted, frame, share, surprise, up, down } = colours === "light" ? light : dark;
  const fills = { paper, ink, muted, share, surprise, up, down };
  const strokes = { frame, ink, muted, share };
  const letters = Object.entries(LETTERS).map(([letter, pair]) => [
    `letter-${letter}`,
    pair[colours === "light" ? 0 : 1],
  ]);
  return [
    ...[...Object.entries(fills), ...letters].map(([name, colour]) => [name, "fill", colour]),
    ...Object.entries(strokes).map(([name, colour]) => [`line-${name}`, "stroke", colour]),
  ]
    .map(([name, property, colour]) => `.gpt2-${theme} .${name}{${property}:${colour}}`)
    .join("");
}
