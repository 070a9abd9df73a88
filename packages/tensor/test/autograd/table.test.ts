/** Every operation has a gradient, or says why not; docs/gradients.md lists both. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { rules } from "../../src/autograd/rules/index.ts";
import type { Op } from "../../src/backends/backend.ts";

/** The operations without a rule. */
const reasons: Readonly<Record<string, string>> = {
  ...because("gives bools", "eq ne lt le gt ge isNaN logicalAnd logicalOr logicalNot any all"),
  ...because("gives indices", "argMax argMin categorical"),
  ...because("is of integers", "truncDiv"),
  ...because("gives bytes", "encodeVectors"),
};

function because(reason: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [name, reason]));
}

const folder = fileURLToPath(new URL("../../src/ops", import.meta.url));
const page = readFileSync(fileURLToPath(new URL("../../../../docs/gradients.md", import.meta.url)), "utf8");

const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const modules = await Promise.all(files.map((name): Promise<Record<string, unknown>> => import(join(folder, name))));
const isOp = (value: unknown): value is Op<never> => typeof (value as Partial<Op> | null)?.reference === "function";
/** Operations by the file that declares them, without those that compute gradients, which have none. */
const ops = files.flatMap((file, i) => (file.startsWith("backward") ? [] : Object.values(modules[i]!).filter(isOp)));

function namesIn(title: string): string[] {
  const [section] = page.slice(page.indexOf(`## ${title}`) + 3).split("\n## ");
  const rows = [...section!.matchAll(/^\|(.*)\|(.*)\|$/gm)].map(([, first, second]) =>
    title === "What has none" ? first! : second!,
  );
  return rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
}

describe("operations", () => {
  test("are found", () => expect(ops.length).toBeGreaterThanOrEqual(76));

  test("have a gradient, or a reason why not", () => {
    const unknown = ops.filter((op) => !rules.has(op) && !(op.name in reasons)).map(({ name }) => name);
    expect(unknown).toEqual([]);
    expect(ops.filter((op) => rules.has(op) && op.name in reasons).map(({ name }) => name)).toEqual([]);
    const names = ops.map(({ name }) => name);
    expect(Object.keys(reasons).filter((name) => !names.includes(name))).toEqual([]);
  });

  test("stand in docs/gradients.md with it or without", () => {
    const others = ["float32", "f32"];
    const listed = namesIn("What has a gradient").filter((name) => !others.includes(name));
    expect(listed.toSorted()).toEqual([...rules.keys()].map(({ name }) => name).toSorted());
    expect(namesIn("What has none").toSorted()).toEqual(Object.keys(reasons).toSorted());
  });
});
