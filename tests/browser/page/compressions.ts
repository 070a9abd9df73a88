import { GPT2 } from "@gpt2-ts/gpt2";
import { compress, decompress } from "@gpt2-ts/gpt2/compress";
import { fingerprint } from "./compare.ts";

/** Contents to compress, in base 64, and with what. */
export interface Compressions {
  /** The model's folder, or its URL. */
  readonly model: string;
  readonly threads: number;
  readonly contents: readonly string[];
}

/** Compresses contents, and opens them again. Throws an Error if one is another then. @returns the fingerprint of each file */
export async function compressions({ model, threads, contents }: Compressions): Promise<string[]> {
  using gpt2 = await GPT2.load(model, { deterministic: true, threads });
  const files: string[] = [];
  for (const [i, content] of contents.entries()) {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    const file = await compress(gpt2, bytes);
    if ((await fingerprint(await decompress(gpt2, file))) !== (await fingerprint(bytes))) {
      throw new Error(`content ${i} came back as another`);
    }
    files.push(await fingerprint(file));
  }
  return files;
}
