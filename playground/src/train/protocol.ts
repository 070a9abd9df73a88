// What is said between the page and the thread that trains.
import type { TrainingProgress } from "@gpt2-ts/gpt2/train";
import type { Settings } from "./settings.ts";

/** What is to be trained. */
export interface Training {
  readonly text: string;
  /** What samples continue. */
  readonly prompt: string;
  readonly settings: Settings;
}

/** What is known once the text has become tokens. */
export interface Beginning {
  readonly type: "begin";
  readonly parameters: number;
  /** As many as the text gave; fewer than were asked for, if it is short. */
  readonly vocabulary: number;
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  readonly threads: number;
}

/** The files of a model's folder, by name. */
export type FolderFiles = Readonly<Record<string, Blob>>;

/** To the thread. */
export type Order =
  | { readonly type: "train"; readonly training: Training }
  /** Takes effect after the step that is being made. */
  | { readonly type: "pause" | "goOn" | "stop" }
  /** Asks for the model as the latest step leaves it. */
  | { readonly type: "files" };

/** From the thread. */
export type Report =
  /** A share of the merges of the vocabulary. */
  | { readonly type: "vocabulary"; readonly share: number }
  | Beginning
  | { readonly type: "progress"; readonly progress: TrainingProgress }
  | { readonly type: "sample"; readonly step: number; readonly prompt: string; readonly text: string }
  | { readonly type: "paused" }
  | { readonly type: "end"; readonly stopped: boolean }
  | { readonly type: "files"; readonly files: FolderFiles }
  | { readonly type: "noFiles"; readonly message: string }
  | { readonly type: "failed"; readonly message: string };
