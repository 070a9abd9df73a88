import { createHash } from "node:crypto";
import { OptionError } from "@gpt2-ts/tensor/options";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { encodeDocuments, type TokenIds, type TrainingData } from "../data.ts";
import { documentsOf, type TextFile, textFiles } from "./text-files.ts";

/** The text files of a training, and what is held out of them. */
export interface Texts {
  readonly files: readonly TextFile[];
  readonly heldOutFiles: readonly TextFile[];
  readonly heldOut: number;
}

const HELD_OUT = 0.1;

/** @throws OptionError for files that cannot be used */
export async function findTexts(given: {
  readonly text: readonly string[];
  readonly heldOut?: number | undefined;
  readonly heldOutText?: readonly string[] | undefined;
}): Promise<Texts> {
  const heldOut = given.heldOutText ? 0 : (given.heldOut ?? HELD_OUT);
  const files = await textFiles("text", given.text, heldOut);
  const heldOutFiles = given.heldOutText ? await textFiles("heldOutText", given.heldOutText, 0) : files;
  return { files, heldOutFiles, heldOut };
}

/** The tokens of the texts. */
export interface EncodedTexts extends TrainingData {
  readonly heldOutCharacters: number;
  /** Tells tokens from others. */
  readonly hash: string;
}

export async function encodeTexts(
  { files, heldOutFiles }: Texts,
  tokenizer: Tokenizer,
  {
    signal,
    onBytes,
  }: { readonly signal: AbortSignal | undefined; readonly onBytes: (done: number, total: number) => void },
): Promise<EncodedTexts> {
  const apart = heldOutFiles !== files;
  const total = [...files, ...(apart ? heldOutFiles : [])].reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const count = (bytes: number): void => {
    done += bytes;
    onBytes(done, total);
  };
  const train = await encodeDocuments(documentsOf(files, "train", count), tokenizer, { signal });
  const heldOut = await encodeDocuments(documentsOf(heldOutFiles, apart ? "train" : "heldOut", count), tokenizer, {
    signal,
  });
  if (train.characters === 0) throw new OptionError("text", "there is no text in the files");
  return {
    train: train.ids,
    heldOut: heldOut.ids,
    heldOutCharacters: heldOut.characters,
    hash: hashOf([train.ids, heldOut.ids]),
  };
}

/** SHA-256 of the tokens of each part, and of how many there are. */
function hashOf(parts: readonly TokenIds[]): string {
  const hash = createHash("sha256");
  for (const ids of parts) hash.update(`${ids.length} `).update(bytesOf(ids));
  return hash.digest("hex");
}

function bytesOf(ids: TokenIds): Uint8Array {
  return new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
}
