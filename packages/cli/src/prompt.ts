import { readFile } from "node:fs/promises";
import { OptionError } from "@gpt2-ts/gpt2";
import { announceInput, inputText, withoutLastLineBreak } from "./input.ts";
import { decodeStrictly } from "./utf8.ts";

/** Where a prompt may come from. */
export interface PromptFlags {
  readonly prompt?: string;
  readonly file?: string;
}

/** The prompt: as it is given, or what is in the file or on standard input, without the line break that ends a file. */
export async function readPrompt({ prompt, file }: PromptFlags, signal: AbortSignal): Promise<string> {
  if (prompt !== undefined && file !== undefined)
    throw new OptionError("file", "has no meaning together with --prompt");
  if (prompt !== undefined) return prompt;
  if (file !== undefined) return withoutLastLineBreak(await fileText(file, signal));
  announceInput("the prompt");
  return withoutLastLineBreak(await inputText(signal));
}

async function fileText(file: string, signal: AbortSignal): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new OptionError("file", `${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
  return decodeStrictly(bytes, file);
}
