/**
 * What `npm run soak` runs: the tests that match `tests` in `files`, until `wanted` is reached, of values drawn or of seconds.
 */
export const goals = [
  {
    name: "mutated files",
    wanted: 1_000_000,
    unit: "values",
    files: ["packages/safetensors/test/properties.test.ts", "packages/gpt2/test/checkpoint", "packages/hw1/test/data"],
    tests: "mutated",
  },
  {
    name: "strings",
    wanted: 10_000_000,
    unit: "values",
    files: ["packages/gpt2/test/tokenizer/tokenizer.test.ts", "packages/gpt2/test/tokenizer/split.test.ts"],
    tests: "encode|decode|split|ids",
  },
];
