import fc from "fast-check";
import { bitsPerElement, DTYPES, type TensorInput } from "safetensors-ts";

const name = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("__proto__", "constructor", "toString", "0", "1", "transformer.h.0.attn.c_attn.weight"),
);
const text = fc.string({ unit: "binary", maxLength: 12 });

/** A tensor of any dtype, up to four dimensions, empty and scalar ones included, with any bytes. */
const tensor: fc.Arbitrary<TensorInput<Uint8Array>> = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(3), { maxLength: 3 }))
  .chain(([dtype, dimensions]) => {
    // The last dimension makes whole bytes of sub-byte elements.
    const shape = bitsPerElement(dtype) < 8 ? [...dimensions, 4] : dimensions;
    const byteLength = (shape.reduce((product, length) => product * length, 1) * bitsPerElement(dtype)) / 8;
    return fc.uint8Array({ minLength: byteLength, maxLength: byteLength }).map((data) => ({ dtype, shape, data }));
  });

export const tensors = fc
  .uniqueArray(fc.tuple(name, tensor), { maxLength: 4, selector: ([key]) => key })
  .map((entries) => new Map(entries));

export const metadata = fc.option(
  fc.uniqueArray(fc.tuple(text, text), { maxLength: 3, selector: ([key]) => key }).map((entries) => {
    const record: Record<string, string> = Object.create(null);
    for (const [key, value] of entries) record[key] = value;
    return record;
  }),
  { nil: undefined },
);

/** Any change to a file. */
export type Edit = (file: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

/** Edits of bytes, wherever they are; what they hit is up to chance. */
const byteEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(
    ([at, bit]): Edit =>
      (file) => {
        const copy = file.slice();
        const i = at % Math.max(1, file.length);
        if (i < file.length) copy[i]! ^= 1 << bit;
        return copy;
      },
  ),
  fc.nat().map(
    (at): Edit =>
      (file) =>
        file.slice(0, at % (file.length + 1)),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 9 }).map(
    (more): Edit =>
      (file) =>
        concat(file, more),
  ),
  fc.tuple(fc.nat(), fc.nat(8), fc.uint8Array({ maxLength: 8 })).map(
    ([at, removed, added]): Edit =>
      (file) => {
        const i = at % (file.length + 1);
        return concat(file.subarray(0, i), added, file.subarray(i + removed));
      },
  ),
  fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2000n })).map(
    (length): Edit =>
      (file) =>
        withLength(file, length),
  ),
);

const INTERESTING = [
  ..."0 1 2 4 8 -1 -0 1.0 1e0 1e400 9007199254740991 9007199254740992 18446744073709551615".split(" "),
  ...'null true [] {} "F32" "F16" "BF16" "U8" "F4" "dtype" "shape" "data_offsets" "__metadata__" "a"'.split(" "),
  ...' , : { } [ ] " \\ \\ud800 \\u0061 \u0000 é 😀'.split(" "),
  '"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},',
  '"__metadata__":{"k":"v"},',
];

/** Edits of the header's text, after which its length is right again. */
const textEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...INTERESTING)).map(([at, removed, added]) =>
    editHeader((header) => {
      const i = at % (header.length + 1);
      return header.slice(0, i) + added + header.slice(i + removed);
    }),
  ),
  // A whole token becomes another.
  fc.tuple(fc.nat(), fc.constantFrom(...INTERESTING)).map(([at, added]) =>
    editHeader((header) => {
      const tokens = [...header.matchAll(/"[^"]*"|\d+|[[\]{},:]/g)];
      const token = tokens[at % Math.max(1, tokens.length)];
      if (token === undefined) return header;
      return header.slice(0, token.index) + added + header.slice(token.index + token[0].length);
    }),
  ),
  // A number moves a little.
  fc.tuple(fc.nat(), fc.integer({ min: -5, max: 5 })).map(([at, change]) =>
    editHeader((header) => {
      const numbers = [...header.matchAll(/\d+/g)];
      const number = numbers[at % Math.max(1, numbers.length)];
      if (number === undefined) return header;
      const changed = String(Number(number[0]) + change);
      return header.slice(0, number.index) + changed + header.slice(number.index + number[0].length);
    }),
  ),
);

/** Edits of the header's structure, which stays valid JSON. */
const structureEdit: fc.Arbitrary<Edit> = fc
  .tuple(fc.constantFrom("dtype", "shape", "data_offsets", "swap", "remove", "rename", "reverse"), fc.nat(), fc.nat(20))
  .map(([kind, at, number]) =>
    editHeader((header) => {
      const entries: [string, Record<string, unknown>][] = [];
      try {
        entries.push(...Object.entries<Record<string, unknown>>(JSON.parse(header)));
      } catch {
        return header;
      }
      const entry = entries[at % Math.max(1, entries.length)];
      if (entry === undefined || typeof entry[1] !== "object" || entry[1] === null) return header;
      const other = entries[number % entries.length]!;
      if (kind === "dtype") entry[1]["dtype"] = DTYPES[number % DTYPES.length];
      if (kind === "shape") entry[1]["shape"] = number % 2 === 0 ? [number] : [number % 4, number];
      if (kind === "data_offsets") entry[1]["data_offsets"] = [number, number + (at % 9)];
      if (kind === "swap") [entry[1], other[1]] = [other[1], entry[1]];
      if (kind === "remove") delete entry[1][["dtype", "shape", "data_offsets"][number % 3]!];
      if (kind === "rename") entry[0] = other[0];
      if (kind === "reverse") entries.reverse();
      return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
    }),
  );

export const edits = fc.array(
  fc.oneof(
    { arbitrary: byteEdit, weight: 2 },
    { arbitrary: textEdit, weight: 3 },
    { arbitrary: structureEdit, weight: 2 },
  ),
  { minLength: 1, maxLength: 3 },
);

function editHeader(edit: (header: string) => string): Edit {
  return (file) => {
    if (file.length < 8) return file;
    const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
    if (length > file.length - 8) return file;
    const header = new TextEncoder().encode(edit(new TextDecoder().decode(file.subarray(8, 8 + length))));
    const edited = concat(file.subarray(0, 8), header, file.subarray(8 + length));
    return withLength(edited, BigInt(header.length));
  };
}

function withLength(file: Uint8Array, length: bigint): Uint8Array<ArrayBuffer> {
  const copy = file.slice();
  if (copy.length >= 8) new DataView(copy.buffer).setBigUint64(0, length, true);
  return copy;
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
