/**
 * The text of protocol 0's UNICODE: Latin-1 with `\uXXXX` and `\UXXXXXXXX` (Python's raw-unicode-escape), where
 * backslashes and line breaks are escaped too. Undefined if an escape sequence is broken.
 */
export function asciiText(line: string): string | undefined {
  let broken = false;
  const text = line.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|[uU])/g, (_, four?: string, eight?: string) => {
    const codePoint = Number.parseInt(four ?? eight ?? "", 16);
    if (codePoint <= 0x10ffff) return String.fromCodePoint(codePoint);
    broken = true;
    return "";
  });
  return broken ? undefined : text;
}

const simpleEscapes: Readonly<Record<string, number>> = {
  "\\": 0x5c,
  "'": 0x27,
  '"': 0x22,
  a: 0x07,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
};

/** The bytes of protocol 0's STRING: the repr of a Python 2 `str`. Undefined if it is none. */
export function reprBytes(line: string): Uint8Array | undefined {
  const quoted = /^(['"])(.*)\1$/s.exec(line)?.[2];
  if (quoted === undefined) return undefined;
  const bytes: number[] = [];
  for (const match of quoted.matchAll(/\\(?:x([\da-fA-F]{2})|([0-7]{1,3})|(.))?|[^\\]/gs)) {
    const [whole, hex, octal, simple] = match;
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else if (simple !== undefined && simpleEscapes[simple] !== undefined) bytes.push(simpleEscapes[simple]);
    else if (whole.startsWith("\\")) return undefined;
    else bytes.push(whole.charCodeAt(0));
  }
  return Uint8Array.from(bytes);
}
