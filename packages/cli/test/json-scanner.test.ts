import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonScanner } from "../src/json-scanner.ts";

/** The members of an object as [key, JSON of the value, number of items]; undefined for another value. */
function membersOf(text: string): [key: string, value: string, items: number | undefined][] | undefined {
  const found: [string, string, number | undefined][] = [];
  const members = new JsonScanner(text).members();
  for (let step = members.next(); ; step = members.next()) {
    if (step.done) return step.value ? found : undefined;
    const { key, start, valueStart, end, items } = step.value;
    expect(text[start]).toBe('"');
    expect(JSON.parse(`{${text.slice(start, end)}}`)).toEqual(
      JSON.parse(`{${JSON.stringify(key)}:${text.slice(valueStart, end)}}`),
    );
    found.push([key, text.slice(valueStart, end), items]);
  }
}

function accepts(read: (text: string) => unknown, text: string): boolean {
  try {
    read(text);
    return true;
  } catch {
    return false;
  }
}

/** Characters that JSON is made of, and some that it is not. */
const piece = fc.constantFrom(
  ...'{}[],:"\\/ \t\r\n\u0000\u001f\u2028\ud800-+.eE0123456789unbfrtalsé',
  "true",
  "false",
  "null",
  "1e400",
  "-0",
  "12345678901234567890",
  "\\u0074",
  "\\ud800",
  '"k":',
  '"a"',
);
const anything = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));
/** JSON with blanks, and the same with one place damaged. */
const damaged = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 1, "\t"), fc.nat(), fc.nat(3), piece)
  .map(([json, space, at, removed, put]) => {
    const text = JSON.stringify(JSON.parse(json), null, space);
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + removed);
  });

describe("JsonScanner", () => {
  it("accepts what JSON.parse accepts", () => {
    const agree = (text: string): void => {
      expect(accepts(membersOf, text)).toBe(accepts(JSON.parse, text));
    };
    fc.assert(fc.property(anything, agree), { numRuns: 20_000 });
    fc.assert(fc.property(damaged, agree), { numRuns: 20_000 });
    fc.assert(fc.property(fc.json({ maxDepth: 6 }), agree), { numRuns: 1_000 });
  });

  it("finds the members of an object, whose values are those of JSON.parse", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, "\t"), (object, space) => {
        const text = JSON.stringify(object, null, space);
        const members = membersOf(text)!;
        expect(members.map(([key, value]) => [key, JSON.parse(value)])).toEqual(Object.entries(JSON.parse(text)));
        for (const [key, , items] of members) {
          expect(items).toBe(Array.isArray(object[key]) ? (object[key] as unknown[]).length : undefined);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(membersOf("[1]")).toBeUndefined();
    expect(membersOf(' "text" ')).toBeUndefined();
  });

  it("keeps what JSON.parse would lose", () => {
    const text = '{"id":90071992547409931,"2":1e400,"1":-0,"id":0.10,"t\\u0065xt":"\\ud83d\\/"}';
    expect(membersOf(text)).toEqual([
      ["id", "90071992547409931", undefined],
      ["2", "1e400", undefined],
      ["1", "-0", undefined],
      ["id", "0.10", undefined],
      ["text", '"\\ud83d\\/"', undefined],
    ]);
  });

  it.each([
    ["", "expected a value at character 1"],
    ["{", "expected a key at character 2"],
    ['{"a" 1}', 'expected ":" at character 6'],
    ['{"a":1,}', "expected a key at character 8"],
    ['{"a":[1 2]}', 'expected "," or "]" at character 9'],
    ['{"a":01}', 'expected "," or "}" at character 7'],
    ['{"a":"\\x"}', "expected an escape at character 8"],
    ['{"a":"\\u12g4"}', "expected four hexadecimal digits at character 9"],
    ['{"a":"\n"}', "expected an escape for a control character at character 7"],
    ['{"a":"', "expected the end of a string at character 7"],
    ["{} {}", "expected the end at character 4"],
  ])("says where a text is not JSON: %j", (text, message) => {
    expect(() => membersOf(text)).toThrow(`it is not JSON: ${message}`);
  });

  it("refuses what is nested very deep, and takes what is long, in one pass and without a stack", () => {
    expect(membersOf(`{"a":${"[".repeat(1000)}${"]".repeat(1000)}}`)).toHaveLength(1);
    for (const opener of ["[", '{"a":']) {
      expect(() => membersOf(`{"a":${opener.repeat(1_000_000)}`)).toThrow("it is nested more than 1000 levels deep");
    }
    const long = 4_000_000; // a second look at what was read, for each character, would take hours
    for (const value of [
      `"${"a".repeat(long)}"`,
      `"${"\\u0041".repeat(long / 6)}"`,
      "1".repeat(long),
      `0.${"1".repeat(long)}`,
      `1e${"0".repeat(long)}`,
      `[${"1,".repeat(long / 2)}1]`,
      `{"":[${"{},".repeat(long / 3)}[]]}`,
    ]) {
      expect([...new JsonScanner(`{"a":${value}${" ".repeat(long)}}`).members()]).toHaveLength(1);
    }
    expect([...new JsonScanner(`{${'"":1,'.repeat(long / 5)}"":1}`).members()]).toHaveLength(long / 5 + 1);
  });
});
