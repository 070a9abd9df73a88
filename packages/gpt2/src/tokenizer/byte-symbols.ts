/**
 * GPT-2's vocabulary files write each of the 256 bytes as one printable character, its symbol, so that tokens fit into JSON and
 * can be separated by spaces. Printable Latin-1 characters stand for themselves; the other bytes are the characters from U+0100
 * on, in order: a space is "Ġ", a line break "Ċ".
 * (`bytes_to_unicode` in https://github.com/openai/gpt-2/blob/master/src/encoder.py)
 */
const symbols: readonly string[] = Array.from({ length: 256 }, (_, byte) => symbolOfByte(byte));

const byteOfSymbol: ReadonlyMap<string, number> = new Map(symbols.map((symbol, byte) => [symbol, byte]));

/** The bytes in the order of their symbols, which is the order of the first 256 ids of GPT-2's vocabulary. */
export const bytesInVocabularyOrder: readonly number[] = [...byteOfSymbol.keys()]
  .sort()
  .map((symbol) => byteOfSymbol.get(symbol)!);

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function symbolOfByte(byte: number): string {
  if (isPrintable(byte)) return String.fromCharCode(byte);
  let unprintableBefore = 0;
  for (let other = 0; other < byte; other++) if (!isPrintable(other)) unprintableBefore++;
  return String.fromCharCode(0x100 + unprintableBefore);
}

/** `[0x20, 0x61]` → `"Ġa"` */
export function bytesToSymbols(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes) text += symbols[byte]!;
  return text;
}

/** `"Ġa"` → `[0x20, 0x61]`; undefined if a character is no byte's symbol. */
export function symbolsToBytes(text: string): number[] | undefined {
  const bytes: number[] = [];
  for (const symbol of text) {
    const byte = byteOfSymbol.get(symbol);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return bytes;
}
