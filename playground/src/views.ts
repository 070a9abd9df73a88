import type { ComponentType } from "preact";
import type { View } from "./state.ts";

/** What the parts of the page are called. */
export const TITLES: Readonly<Record<View, string>> = {
  text: "Text",
  code: "Code",
  inside: "Inside",
  train: "Train",
  models: "Models",
};

/** The parts whose code is loaded when they are first opened. */
export const LATER: Readonly<Partial<Record<View, () => Promise<ComponentType>>>> = {
  code: async () => (await import("./code/code-part.tsx")).CodePart,
  inside: async () => (await import("./inside/inside-part.tsx")).InsidePart,
  train: async () => (await import("./train/train-part.tsx")).TrainPart,
};

/** The parts that there are, in their order. */
export const VIEWS_THERE: readonly View[] = (["text", "code", "inside", "train", "models"] as const).filter(
  (view) => view === "text" || view === "models" || view in LATER,
);
