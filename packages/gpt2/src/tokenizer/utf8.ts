const REPLACEMENT = "\ufffd";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // "ignore" means: keep a BOM, as text
const encoder = new TextEncoder();

/** Text as UTF-8. A lone surrogate, which UTF-8 cannot write, becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** UTF-8 as text; what is not UTF-8 becomes U+FFFD, one for each maximal part of a character (as in Python and Rust). */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** How many bytes at the end begin a character whose other bytes may still come: 0 to 3. */
export function incompleteTailLength(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const start = bytes.length - length;
    const lead = bytes[start]!;
    if (isContinuation(lead)) continue;
    return length < sequenceLength(lead) && (length === 1 || mayFollow(lead, bytes[start + 1]!)) ? length : 0;
  }
  return 0;
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 1;
}

/** Whether a continuation byte may be the second of this character: no overlong forms, surrogates, or beyond U+10FFFF. */
function mayFollow(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second < 0xa0;
  if (lead === 0xf0) return second >= 0x90;
  return lead !== 0xf4 || second < 0x90;
}

/** Bytes for a person to read: their text, and `\xNN` for each byte that is not part of a character. */
export function displayBytes(bytes: Uint8Array): string {
  let shown = "";
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i]!);
    const character = decodeUtf8(bytes.subarray(i, i + length));
    const valid = i + length <= bytes.length && (character !== REPLACEMENT || isReplacement(bytes, i));
    if (valid && [...character].length === 1) {
      shown += character;
      i += length;
    } else {
      shown += `\\x${bytes[i]!.toString(16).padStart(2, "0")}`;
      i++;
    }
  }
  return shown;
}

/** Whether the bytes at `i` are U+FFFD itself. */
function isReplacement(bytes: Uint8Array, i: number): boolean {
  return bytes[i] === 0xef && bytes[i + 1] === 0xbf && bytes[i + 2] === 0xbd;
}
