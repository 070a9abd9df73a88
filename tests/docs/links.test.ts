/** What documents point at is there: files and headings of links, and every path that is written as code. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { documents, ROOT, withoutFences } from "./documents.ts";

const LINK = /\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g;
/** Folders at the root: what begins with one of them, in backticks, is a path of this repository. */
const PATH = /`((?:packages|benchmarks|docs|examples|scripts|tests|weights)\/[\w./*-]*)`/g;

describe.each(documents())("$name", ({ name, text }) => {
  const prose = withoutFences(text);

  it("links to files and headings that exist", () => {
    const broken = Array.from(prose.matchAll(LINK), ({ 1: link, 2: source }) => link ?? source ?? "").filter(
      (target) => !/^(https?|mailto):/.test(target) && !resolves(name, target),
    );
    expect(broken).toEqual([]);
  });

  it("names paths that exist", () => {
    const paths = Array.from(text.matchAll(PATH), ([, path = ""]) => path);
    expect(paths.filter((path) => !path.includes("*") && !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

function resolves(from: string, target: string): boolean {
  const [path = "", heading] = target.split("#");
  const file = path === "" ? from : posix.normalize(posix.join(dirname(from), path));
  if (!existsSync(join(ROOT, file))) return false;
  return heading === undefined || headings(readFileSync(join(ROOT, file), "utf8")).has(heading);
}

/** The anchors that GitHub makes of a document's headings. */
function headings(text: string): Set<string> {
  const lines = withoutFences(text).match(/^#+ .*$/gm) ?? [];
  return new Set(
    lines.map((line) =>
      line
        .replace(/^#+ /, "")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
