/**
 * What `npm run soak` runs: the tests that match `tests` in `files`, until `wanted` is reached, of values drawn or of seconds.
 */
export const goals = [
  {
    name: "mutated files",
    wanted: 1_000_000,
    unit: "values",
    files: [
      "packages/safetensors/test/properties.test.ts",
      "packages/gpt2/test/checkpoint",
      "packages/gpt2/test/tokenizer/vocabulary.test.ts",
    ],
    tests: "mutated",
  },
  {
    name: "strings",
    wanted: 10_000_000,
    unit: "values",
    files: ["packages/gpt2/test/tokenizer/tokenizer.test.ts", "packages/gpt2/test/tokenizer/split.test.ts"],
    tests: "encode|decode|split|ids",
  },
  {
    name: "faults",
    wanted: 3_600,
    unit: "seconds",
    files: ["tests/kill", "packages/gpt2/test/hub/hostile.test.ts", "packages/gpt2/test/hub/resume.test.ts"],
    tests: ".",
  },
];
