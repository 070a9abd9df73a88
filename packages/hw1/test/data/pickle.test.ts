import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PickleError } from "../../src/data/errors.ts";
import { type PickleValue, readPickle } from "../../src/data/pickle.ts";

const FIXTURES = fileURLToPath(new URL("fixtures", import.meta.url));
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, name)));
const values: { plain: unknown; lines: string[] } = JSON.parse(readFileSync(join(FIXTURES, "values.json"), "utf8"));
const protocols = [0, 1, 2, 3, 4, 5];

/** As JSON would have it. */
function plain(value: PickleValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** The error that reading these bytes ends in. */
function errorOf(bytes: ArrayLike<number>): PickleError {
  try {
    readPickle(Uint8Array.from(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(PickleError);
    return error as PickleError;
  }
  throw new Error("it was read");
}

const ascii = (text: string): number[] => [...Buffer.from(text, "latin1")];

describe.each(protocols)("a pickle that Python wrote in protocol %i", (protocol) => {
  it("holds what was pickled", () => {
    expect(plain(readPickle(fixture(`plain.${protocol}.pkl`)))).toEqual(values.plain);
    expect(readPickle(fixture(`list.${protocol}.pkl`))).toEqual(values.lines);
  });

  it("keeps the order of a dict, and ints as its keys", () => {
    const expected = [...values.lines.entries()].reverse();
    expect([...(readPickle(fixture(`dict.${protocol}.pkl`)) as Map<number, string>)]).toEqual(expected);
  });

  it("is one object where it was one object", () => {
    const [a, b] = (readPickle(fixture(`plain.${protocol}.pkl`)) as Map<string, PickleValue[]>).get("shared")!;
    expect(a).toBe(b);
  });

  it.each(["runs", "custom", "date"])("is refused, and nothing run, if it holds an object (%s)", (kind) => {
    const bytes = fixture(`${kind}.${protocol}.pkl`);
    const { opcode, offset, message } = errorOf(bytes);
    const codes: Record<string, number> = { GLOBAL: 0x63, STACK_GLOBAL: 0x93 };
    expect(bytes[offset]).toBe(codes[opcode!]);
    expect(message).toContain("nothing is ever run");
    expect(existsSync(`ran-${protocol}`)).toBe(false);
  });

  it("is an error when cut off anywhere", () => {
    const bytes = fixture(`plain.${protocol}.pkl`);
    for (let length = 0; length < bytes.length; length++) errorOf(bytes.subarray(0, length));
  });
});

describe("a pickle", () => {
  it("may hold bytes, in any of their forms", () => {
    expect(readPickle(fixture("bytes.4.pkl"))).toEqual([Uint8Array.of(0, 255), new Uint8Array(300)]);
    expect(readPickle(fixture("bytearray.5.pkl"))).toEqual(Uint8Array.of(1, 2));
  });

  it("may be of several frames", () => {
    expect(readPickle(fixture("frames.4.pkl"))).toEqual(["x".repeat(70_000), "y".repeat(70_000)]);
  });

  it("may hold integers past 2^53, as bigints", () => {
    expect(readPickle(fixture("large-int.2.pkl"))).toEqual([2n ** 200n, -(2n ** 200n), 2n ** 64n]);
  });

  it("of Python 2 may hold strings, quoted or not", () => {
    expect(readPickle(Uint8Array.from(ascii("S'it\\'s \\x41\\n\\\\'\np0\n.")))).toBe("it's A\n\\");
    expect(readPickle(Uint8Array.from([0x55, 3, ...ascii("abc"), 0x2e]))).toBe("abc");
    expect(readPickle(Uint8Array.from(ascii("I01\n.")))).toBe(true);
    expect(readPickle(Uint8Array.from(ascii("L123L\n.")))).toBe(123);
  });

  it("may take back what it put, values and marks", () => {
    expect(readPickle(Uint8Array.from(ascii("]N0(0(NN1Na.")))).toEqual([null]);
    expect(readPickle(Uint8Array.from(ascii("(N2t.")))).toEqual([null, null]);
  });

  it("that is a list within itself is read as such", () => {
    const list = readPickle(Uint8Array.from(ascii("]q\0h\0a."))) as PickleValue[];
    expect(list[0]).toBe(list);
  });

  it("is refused if it holds a set", () => {
    expect(errorOf(fixture("set.4.pkl")).message).toMatch(/^EMPTY_SET at byte \d+: sets are not read/);
  });

  it.each([
    ["a string of 2^63 bytes", [0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80], "it needs 9223372036854776000 bytes, and 0 are left"],
    ["a string of 4 GiB", [0x58, 255, 255, 255, 255, 0x61], "it needs 4294967295 bytes, and 1 are left"],
    ["a string of -1 bytes", [0x54, 255, 255, 255, 255], "a length of -1"],
    ["a frame past the end", [0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, 0x4e, 0x2e], "a frame of 9 bytes, and 2 are left"],
    ["an integer of 2 GiB", [0x8b, 255, 255, 255, 127], "an integer of 2147483647 bytes"],
    ["an integer of many digits", ascii(`I${"9".repeat(5000)}\n.`), "an integer of more than 4300 digits"],
    ["a protocol to come", [0x80, 6], "protocol 6; there are 0 to 5"],
    ["text that is not UTF-8", [0x8c, 1, 0xff, 0x2e], "a string that is not UTF-8"],
    ["a line without an end", ascii("I12"), "the pickle ends within a line"],
    ["an integer that is none", ascii("Itwelve\n."), 'not an integer: "twelve"'],
    ["a float that is none", ascii("F1e\n."), "not a number"],
    ["an escape sequence that is none", ascii("V\\u12\n."), "a broken escape sequence"],
    ["a string without quotes", ascii("Sabc\n."), "not a quoted string"],
    ["more taken than is there", ascii("a."), "it takes 1 from the stack, which has 0"],
    ["an item appended to None", ascii("NNa."), "it appends to something that is no list"],
    ["something taken past a mark", ascii("]N(a."), "it takes 1 from the stack, which has 0"],
    ["an item appended to a tuple", ascii(")Na."), "it appends to something that is no list"],
    ["an item set in a list", ascii("]NNs."), "it sets an item of something that is no dict"],
    ["a key without a value", ascii("}(Nu."), "a key without a value"],
    ["a mark that is not there", ascii("t."), "there is no mark on the stack"],
    ["something recalled that was not stored", ascii("h\u0007."), "nothing was stored under 7"],
    ["bytes after its end", ascii("N.N."), "2 bytes follow the end of the pickle"],
    ["a byte that is no instruction", ascii("hello"), "nothing was stored under 101"],
    ["no instruction at all", ascii("?."), "there is no such instruction: is this a pickle?"],
    ["nothing", [], "the pickle ends without STOP"],
  ])("is an error if it has %s", (_, bytes, message) => {
    expect(errorOf(bytes).message).toContain(message);
  });

  it("tells the instruction at fault and where it is", () => {
    const { opcode, offset, message } = errorOf([0x80, 2, 0x5d, 0x58, 9, 0, 0, 0]);
    expect({ opcode, offset }).toEqual({ opcode: "BINUNICODE", offset: 3 });
    expect(message).toBe("BINUNICODE at byte 3: it needs 9 bytes, and 0 are left");
  });

  it("of any bytes is read or is an error that says where", () => {
    const check = (bytes: Uint8Array): void => {
      try {
        readPickle(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PickleError);
        expect((error as PickleError).offset).toBeLessThanOrEqual(bytes.length);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check), { numRuns: 2000 });
    const sound = readdirSync(FIXTURES).filter((name) => /^(plain|dict|list|runs|bytes|large)/.test(name));
    const change = fc.record({
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
      to: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...sound), fc.array(change, { minLength: 1, maxLength: 4 }), (name, changes) => {
        const bytes = fixture(name).slice();
        for (const { at, to } of changes) bytes[Math.floor(at * bytes.length)] = to;
        check(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("of a million marks and lists takes memory for no more", () => {
    expect(errorOf(new Uint8Array(1_000_000).fill(0x28)).message).toContain("ends without STOP");
    const nested = new Uint8Array(1_000_001).fill(0x5d);
    nested[1_000_000] = 0x2e;
    expect(readPickle(nested)).toEqual([]);
  });
});
