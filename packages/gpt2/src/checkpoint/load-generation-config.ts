import { parseJsonObject } from "../model/config.ts";
import type { ModelSource } from "./source/index.ts";

/** What a model folder says about generation, and the file that says it. */
export interface GenerationFields {
  readonly file: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads `generation_config.json`, or returns undefined if the folder has none. Throws ModelFormatError if it is no JSON object. */
export async function loadGenerationFields(source: ModelSource): Promise<GenerationFields | undefined> {
  const name = "generation_config.json";
  const text = await source.text(name);
  const file = source.path(name);
  return text === undefined ? undefined : { file, fields: parseJsonObject(text, file) };
}
