import { decodeUtf8, lengthOfCharacter } from "./utf8.ts";

/** Bytes as the text that they are, as far as they are UTF-8, and each other byte by itself. */
export function* utf8Parts(bytes: Uint8Array): Generator<string | number, void> {
  let start = 0; // of the text that is not yet handed out
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at);
    if (length === 0) {
      if (start < at) yield decodeUtf8(bytes.subarray(start, at));
      yield bytes[at]!;
      start = at + 1;
    }
    at += Math.max(length, 1);
  }
  if (start < bytes.length) yield decodeUtf8(bytes.subarray(start));
}
