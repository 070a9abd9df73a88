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

/** How many bytes the character has that begins at `at`; 0 where none does. */
export function lengthOfCharacter(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = sequenceLength(lead);
  if (length === 1) return lead < 0x80 ? 1 : 0;
  if (at + length > bytes.length || !mayFollow(lead, bytes[at + 1]!)) return 0;
  for (let i = 1; i < length; i++) if (!isContinuation(bytes[at + i]!)) return 0;
  return length;
}

/** Bytes for a person to read: their text, and `\xNN` for each byte that is not part of a character. */
export function displayBytes(bytes: Uint8Array): string {
  let shown = "";
  for (let i = 0; i < bytes.length; ) {
    const length = lengthOfCharacter(bytes, i);
    shown += length > 0 ? decodeUtf8(bytes.subarray(i, i + length)) : `\\x${bytes[i]!.toString(16).padStart(2, "0")}`;
    i += Math.max(length, 1);
  }
  return shown;
}
