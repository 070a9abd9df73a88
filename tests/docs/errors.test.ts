/** docs/errors.md lists every error class that a package exports, and every code of those that have codes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./documents.ts";

const page = readFileSync(join(ROOT, "docs/errors.md"), "utf8");
const section = (heading: string): string => page.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
const rowsOf = (text: string): string[][] =>
  Array.from(text.matchAll(/^\| (`.*) \|$/gm), ([, row]) => row!.split(" | ").map((cell) => cell.trim()));
const names = (cell: string): string[] => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name!);

/** Every error class that can be imported, and from where: as packages/NAME/api.md says, which `npm run check:api` holds to the code. */
function exportedErrors(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const folder of ["safetensors", "tensor", "gpt2", "server", "cli", "hw1"]) {
    const api = readFileSync(join(ROOT, "packages", folder, "api.md"), "utf8");
    for (const section of api.split(/^## /m).slice(1)) {
      const entry = section.slice(1, section.indexOf("`", 1));
      // What comes from another package is a comment there: its name and its file.
      for (const [, own, foreign] of section.matchAll(
        /^(?:export declare class (\w+) extends \w*Error \{|\/\/ (\w+Error): )/gm,
      )) {
        const name = (own ?? foreign)!;
        found.set(name, [...(found.get(name) ?? []), entry]);
      }
    }
  }
  return found;
}

describe("docs/errors.md", () => {
  it("lists the error classes that the packages export, no others, and who exports them", () => {
    const exported = exportedErrors();
    expect(exported.size).toBeGreaterThan(12);
    const rows = rowsOf(section("Classes"));
    expect(rows.map(([name]) => names(name!)[0]).sort()).toEqual([...exported.keys()].sort());
    for (const [name, where, meaning, remedy] of rows) {
      const entries = exported.get(names(name!)[0]!)!;
      expect(names(where!).sort(), name).toEqual(entries.sort());
      expect(meaning!.length > 20 && remedy!.length > 5, name).toBe(true);
    }
  });

  it.each([
    ["HubError", "packages/gpt2/src/hub/error.ts"],
    ["SafetensorsError", "packages/safetensors/src/errors.ts"],
    ["TransportError", "packages/safetensors/src/transport/failure.ts"],
  ])("lists each code of %s once", (name, file) => {
    const [, union = ""] = /export type \w+Code =\n((?: {2}\| "[^"]+"[;\n]+)+)/.exec(
      readFileSync(join(ROOT, file), "utf8"),
    )!;
    const codes = Array.from(union.matchAll(/"([^"]+)"/g), ([, code]) => code!);
    expect(codes.length).toBeGreaterThan(5);
    expect(
      rowsOf(section(`\`${name}\``))
        .flatMap(([first]) => names(first!))
        .sort(),
    ).toEqual(codes.sort());
  });
});
