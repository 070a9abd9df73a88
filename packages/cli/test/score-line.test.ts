import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { parseLine } from "../src/score-line.ts";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
});
afterAll(() => model.dispose());

const bytes = (line: string): Uint8Array => new TextEncoder().encode(line);

describe("a line to be scored", () => {
  it("is a text or ids, and whatever else", () => {
    const ids = model.tokenizer.encode("To be");
    expect(parseLine(bytes('{"text":"To be","n":1,"__proto__":[]}'), model, undefined)).toEqual({
      ids,
      others: JSON.parse('{"n":1,"__proto__":[]}'),
    });
    expect(parseLine(bytes('\ufeff {"ids":[1,2]}\r'), model, undefined)).toEqual({ ids: [1, 2], others: {} });
  });

  it.each([
    ["{", "it is not JSON: "],
    ["", "it is not JSON: "],
    ["[1]", 'expected an object with either "text" or "ids"'],
    ["null", 'expected an object with either "text" or "ids"'],
    ['{"text":"a","ids":[1]}', 'expected an object with either "text" or "ids"'],
    ['{"txt":"a"}', 'expected an object with either "text" or "ids"'],
    ['{"text":5}', '"text" is not a string'],
    ['{"ids":{}}', '"ids" is not an array'],
    ['{"ids":[1,"2"]}', 'token id "2" (at index 1) is outside the vocabulary'],
    ['{"ids":[1,1024]}', "token id 1024 (at index 1) is outside the vocabulary"],
    ['{"ids":[0.5]}', "token id 0.5 (at index 0) is outside the vocabulary"],
    [JSON.stringify({ ids: new Array(257).fill(1) }), "257 tokens do not fit into the context of 256"],
  ])("is refused with the reason: %s", (line, message) => {
    expect(() => parseLine(bytes(line), model, undefined)).toThrow(message);
  });

  it("may be longer than the context when a stride is given", () => {
    const line = bytes(JSON.stringify({ ids: new Array(257).fill(1) }));
    expect(parseLine(line, model, 64).ids).toHaveLength(257);
  });

  it("is refused when it is not UTF-8, with the place", () => {
    const line = Buffer.concat([bytes('{"text":"'), Uint8Array.of(0xc3, 0x28), bytes('"}')]);
    expect(() => parseLine(line, model, undefined)).toThrow("it is not UTF-8 text (at byte 9)");
  });
});
