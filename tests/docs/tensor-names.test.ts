/** The table of NumPy's and PyTorch's functions in docs/tensor.md names what there is. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as library from "@gpt2-ts/tensor";
import { describe, expect, it } from "vitest";
import { ROOT } from "./documents.ts";
import "@gpt2-ts/tensor/methods";

const page = readFileSync(join(ROOT, "docs/tensor.md"), "utf8");
const [here] = page.slice(page.indexOf("## What is here")).split("## What is not");
const rows = [...here!.matchAll(/^\|([^|]*)\|([^|]*)\|(.*)\|$/gm)].map(([, , , last]) => last!);
const names = rows.flatMap((row) => [...row.matchAll(/`\.?([A-Za-z_]\w*)`/g)].map(([, name]) => name!));
const exported = library as unknown as Readonly<Record<string, unknown>>;

describe("docs/tensor.md", () => {
  it("names functions and members of tensors that exist", () => {
    expect(names.length).toBeGreaterThan(120);
    const x = library.tensor([[1]]);
    const known = (name: string) => name in exported || name in x || ["var", "a", "b"].includes(name);
    expect(names.filter((name) => !known(name))).toEqual([]);
  });

  it("names every function of tensors", async () => {
    const folder = join(ROOT, "packages/tensor/src/functional");
    const modules: object[] = await Promise.all(
      readdirSync(folder).map((file): Promise<object> => import(join(folder, file))),
    );
    const functions = modules.flatMap((module) => Object.keys(module).filter((name) => name in exported));
    expect(functions.length).toBeGreaterThan(120);
    // encodeVectors is for the KV cache, as `copy_` is.
    expect(functions.filter((name) => ![...names, "encodeVectors"].includes(name))).toEqual([]);
  });
});
