import { GPT2 } from "@gpt2-ts/gpt2";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../../gpt2/test/support/models.ts";
import { fieldsFrom } from "../../src/score/fields.ts";
import { idsOf, type LineOptions, readLine } from "../../src/score/line.ts";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
});
afterAll(() => model.dispose());

const bytes = (line: string): Uint8Array => new TextEncoder().encode(line);

const usual: LineOptions = { fields: fieldsFrom(undefined, false) };

function parse(line: string | Uint8Array, some: Partial<LineOptions> = {}): { ids: readonly number[]; others: string } {
  const options = { ...usual, ...some };
  const read = readLine(typeof line === "string" ? bytes(line) : line, options)!;
  return { ids: idsOf(read, model, options), others: read.others };
}

describe("a line to be scored", () => {
  it("is a text or ids, and whatever else", () => {
    const ids = model.tokenizer.encode("To be");
    expect(parse('{"text":"To be","n":1,"__proto__":[]}')).toEqual({ ids, others: '"n":1,"__proto__":[]' });
    expect(parse('\ufeff {"ids":[1,2]}\r')).toEqual({ ids: [1, 2], others: "" });
    expect(parse('{"t\\u0065xt":"To b\\u0065"}')).toEqual({ ids, others: "" });
  });

  it("passes other members through to the byte", () => {
    const others = [
      '"id" : 90071992547409931',
      '"2":1e400',
      '"1":-0.0',
      '"id":0.10',
      '"s":"\\ud83d\\/\\u00e9é"',
      '"":{"a":1 , "a":2}',
    ];
    const { others: passed } = parse(`{${others[0]}, ${others[1]},"ids":[1], ${others.slice(2).join(" , ")} }`);
    expect(passed).toBe(`${others[0]}, ${others[1]},${others.slice(2).join(" , ")}`);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (object, at) => {
        const members = Object.entries(object)
          .filter(([key]) => !["text", "ids", "tokens"].includes(key))
          .map((member) => JSON.stringify(Object.fromEntries([member])).slice(1, -1));
        const place = at % (members.length + 1);
        const line = `{${members.toSpliced(place, 0, '"text":""').join(",")}}`;
        expect(readLine(bytes(line), { ...usual, resultKey: "tokens" })!.others).toBe(members.join(","));
      }),
    );
  });

  it("is skipped if it is blank", () => {
    for (const line of ["", " ", "\t \r", "\ufeff"]) expect(readLine(bytes(line), usual)).toBeUndefined();
  });

  it.each([
    ["{", "it is not JSON: expected a key at character 2"],
    ["\u00a0", "it is not JSON: expected a value at character 1"],
    ["[1]", 'expected an object with either "text" or "ids"'],
    ["null", 'expected an object with either "text" or "ids"'],
    ['{"text":"a","ids":[1]}', 'expected an object with either "text" or "ids"'],
    ['{"txt":"a"}', 'expected an object with either "text" or "ids"'],
    ['{"text":"a","te\\u0078t":"b"}', '"text" occurs twice'],
    ['{"text":5}', '"text" is not a string'],
    ['{"ids":{}}', '"ids" is not an array'],
    ['{"ids":[1,"2"]}', 'token id "2" (at index 1) is outside the vocabulary'],
    ['{"ids":[1,1024]}', "token id 1024 (at index 1) is outside the vocabulary"],
    ['{"ids":[0.5]}', "token id 0.5 (at index 0) is outside the vocabulary"],
    ['{"ids":[90071992547409931]}', "is outside the vocabulary"],
    [JSON.stringify({ ids: new Array(257).fill(1) }), "257 tokens do not fit into the context of 256"],
    [`{"text":"a","deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "it is nested more than 1000 levels deep"],
    ['{"text":"a","tokens":1}', 'the output has a key "tokens" too: rename it, or put the results under --result-key'],
  ])("is refused with the reason: %.60s", (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });

  it("may have a key of the output if the result has a key of its own", () => {
    expect(parse('{"ids":[1],"tokens":2,"line":3}', { resultKey: "score" }).others).toBe('"tokens":2,"line":3');
    expect(() => parse('{"ids":[1],"score":2}', { resultKey: "score" })).toThrow('the output has a key "score" too');
    expect(parse('{"ids":[1],"line":3}').others).toBe('"line":3');
    expect(() => parse('{"ids":[1],"line":3}', { report: true })).toThrow('the output has a key "line" too');
    expect(parse('{"ids":[1],"line":3}', { report: true, resultKey: "score" }).others).toBe('"line":3');
  });

  it("may have a key that is not among the fields", () => {
    expect(parse('{"ids":[1],"tokens":2}', { fields: ["ids"] }).others).toBe('"tokens":2');
    expect(() => parse('{"ids":[1],"alternatives":2}', { fields: ["alternatives"] })).toThrow("alternatives");
  });

  it("may be longer than the context when a stride is given, though not beyond what can be parsed", () => {
    expect(parse(JSON.stringify({ ids: new Array(257).fill(1) }), { stride: 64 }).ids).toHaveLength(257);
    const line = readLine(bytes('{"ids":[]}'), usual)!;
    expect(() => idsOf({ ...line, idCount: 2 ** 26 + 1 }, model, { ...usual, stride: 64 })).toThrow(
      "it has more than 67108864 tokens",
    );
  });

  it("reads special tokens as tokens only when told to", () => {
    const line = JSON.stringify({ text: "a<|endoftext|>" });
    expect(parse(line).ids).not.toContain(model.tokenizer.endOfText);
    expect(parse(line, { specialTokens: true }).ids.at(-1)).toBe(model.tokenizer.endOfText);
  });

  it("is refused when it is not UTF-8, with the place", () => {
    const line = Buffer.concat([bytes('{"text":"'), Uint8Array.of(0xc3, 0x28), bytes('"}')]);
    expect(() => parse(line)).toThrow("it is not UTF-8 text (at byte 9)");
  });
});
