import type { Source } from "safetensors-ts";

/** A model folder, wherever it is: laid out as on the Hugging Face Hub. */
export interface ModelSource {
  /** What messages call it. */
  readonly name: string;
  /** What messages call one of its files. */
  path(file: string): string;
  /** A file to read from, or undefined if the folder has no such file. */
  file(name: string): Promise<Source | undefined>;
  /** A small file's text, or undefined if the folder has no such file. */
  text(name: string): Promise<string | undefined>;
  /** Why a file that was asked for is not there, if there is more to say. */
  absence?(file: string): string | undefined;
  /** Milliseconds without progress until a request for a file is given up; undefined for the default. */
  readonly stallTimeout?: number | undefined;
  /** The names of its files; undefined where they cannot be listed. */
  names?(): Promise<readonly string[]>;
}

/** Larger files are no configs and no vocabularies, whatever they are called. */
export const MAX_TEXT_BYTES = 2 ** 28;
