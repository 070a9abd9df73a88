import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { activationNames } from "../../packages/gpt2/src/model/activation.ts";
import { READ_FIELDS, REFUSED_FIELDS } from "../../packages/gpt2/src/model/config.ts";
import { ROOT } from "./documents.ts";

const features = readFileSync(join(ROOT, "docs/features.md"), "utf8");
const section = /### What a `config\.json` may say\n(.*?)\n## /s.exec(features)![1]!;
const rows = Array.from(section.matchAll(/^\| (`.*?) \| (.*) \|$/gm), ([, names, here]) => ({
  names: Array.from(names!.matchAll(/`(\w+)`/g), ([, name]) => name!),
  here: here!,
}));
const hereOf = (field: string): string | undefined => rows.find(({ names }) => names.includes(field))?.here;

/** What `transformers` writes: packages/gpt2/test/checkpoint/oracle/make_checkpoints.py asked it. */
const { fields } = JSON.parse(
  readFileSync(join(ROOT, "packages/gpt2/test/checkpoint/oracle/checkpoints/kinds.json"), "utf8"),
) as { readonly fields: readonly string[] };

test("docs/features.md says of every field that transformers writes what becomes of it", () => {
  expect(fields.length).toBeGreaterThan(40);
  expect(fields.filter((field) => hereOf(field) === undefined)).toEqual([]);
});

test("it says 'not read' of no field that the code reads, and of all others", () => {
  const documented = rows.flatMap(({ names }) => names);
  const used = [...READ_FIELDS, ...Object.keys(REFUSED_FIELDS), "reorder_and_upcast_attn"];
  const isRead = (field: string): boolean => !/(^|: )not read/.test(hereOf(field)!);
  expect(documented.filter(isRead).sort()).toEqual([...used].sort());
});

test("it calls every refused field an error, and lists every activation", () => {
  for (const field of Object.keys(REFUSED_FIELDS)) expect(hereOf(field)).toMatch(/^an error/);
  const listed = Array.from(hereOf("activation_function")!.matchAll(/`(\w+)`/g), ([, name]) => name);
  expect(listed.sort()).toEqual(Object.keys(activationNames).sort());
});
