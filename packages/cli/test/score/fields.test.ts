import { describe, expect, it } from "vitest";
import { fieldsFrom } from "../../src/score/fields.ts";

describe("the fields of a score", () => {
  it("are all of it, or those that are named, in that order", () => {
    const usual = ["ids", "tokens", "logprobs", "logLikelihood", "perplexity", "bitsPerByte"];
    expect(fieldsFrom(undefined, false)).toEqual(usual);
    expect(fieldsFrom(undefined, true)).toEqual([...usual, "alternatives"]);
    expect(fieldsFrom("perplexity, text,ids", false)).toEqual(["perplexity", "text", "ids"]);
    expect(fieldsFrom("alternatives", true)).toEqual(["alternatives"]);
  });

  it.each([
    [
      "",
      false,
      'fields: expected some of ids,tokens,logprobs,logLikelihood,perplexity,bitsPerByte,alternatives,text; got ""',
    ],
    ["ids,id", false, 'got "id"'],
    ["constructor", false, 'got "constructor"'],
    ["ids,text,ids", false, "fields: ids is there twice"],
    ["alternatives", false, "fields: alternatives needs --top"],
    ["ids", true, "top: --fields leaves out what it asks for, alternatives"],
  ])("refuses %j", (list, top, message) => {
    expect(() => fieldsFrom(list, top)).toThrow(message);
  });
});
