import { showValue } from "@gpt2-ts/tensor/options";
import type { WarningListener } from "../warning.ts";
import { bytesToSymbols } from "./byte-symbols.ts";
import { TokenizerError } from "./errors.ts";
import type { TokenizerParts } from "./vocabulary.ts";

/** Stands for the id of what has none. */
export const NO_ID = -1;

/** Each byte's id, or {@link NO_ID}. */
export function idsOfBytes(idOf: (token: string) => number | undefined): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => idOf(bytesToSymbols([byte])) ?? NO_ID);
}

/** Bytes that no UTF-8 has: C0, C1, and F5 on. */
function isInUtf8(byte: number): boolean {
  return byte < 0xc0 || (byte > 0xc1 && byte < 0xf5);
}

/** What stands for bytes without a token. Tells of them, because texts lose them. */
export function missingBytes(
  { file, ids, unkToken }: TokenizerParts,
  idOfByte: Int32Array,
  onWarning: WarningListener,
): { readonly id: number | undefined } {
  const id = unkToken === undefined ? undefined : ids.idOf(unkToken);
  const missing = [...idOfByte.keys()].filter((byte) => idOfByte[byte] === NO_ID && isInUtf8(byte));
  if (missing.length === 0) return { id };
  const first = missing.slice(0, 8).map((byte) => `0x${byte.toString(16).padStart(2, "0")}`);
  const which = `${missing.length} of 256 bytes have no token (${first.join(", ")}${missing.length > 8 ? ", …" : ""})`;
  if (unkToken !== undefined && id === undefined) {
    throw new TokenizerError(`${which}, nor has ${showValue(unkToken)}, which is to stand for them`, {
      file,
      part: "model.unk_token",
    });
  }
  onWarning(
    `${file}: ${which}; in texts ${id === undefined ? "they are dropped" : `each becomes ${showValue(unkToken)}`}`,
  );
  return { id };
}
