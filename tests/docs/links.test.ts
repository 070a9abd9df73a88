/**
 * What documents point at is there: files and headings of links, and every path that is written as code. In CONTRIBUTING.md the
 * head of a table may name a package: paths below it, to the next heading, are that package's. NAME, FAMILY and `*` stand for any name.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { documents, ROOT, withoutFences } from "./documents.ts";

const LINK = /\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g;
/** Folders at the root: what begins with one of them, in backticks, is a path of this repository. */
const PATH = /`((?:packages|benchmarks|docs|examples|scripts|tests|weights)\/[\w./*-]*)`/g;
const PATH_IN_PACKAGE = /`((?:src|test)\/[\w./*-]*)`/g;
const PLACEHOLDER = /\/[^/]*(\*|NAME|FAMILY).*$/;

describe.each(documents())("$name", ({ name, text }) => {
  const prose = withoutFences(text);

  it("links to files and headings that exist", () => {
    const broken = Array.from(prose.matchAll(LINK), ({ 1: link, 2: source }) => link ?? source ?? "").filter(
      (target) => !/^(https?|mailto):/.test(target) && !resolves(name, target),
    );
    expect(broken).toEqual([]);
  });

  it("names paths that exist", () => {
    expect(pathsIn(text).filter((path) => !existsSync(join(ROOT, path.replace(PLACEHOLDER, ""))))).toEqual([]);
  });
});

function pathsIn(text: string): string[] {
  let folder: string | undefined;
  return text.split("\n").flatMap((line) => {
    if (line.startsWith("#")) folder = undefined;
    folder = /^\| `(packages\/\w+)` \|/.exec(line)?.[1] ?? folder;
    const own =
      folder === undefined ? [] : Array.from(line.matchAll(PATH_IN_PACKAGE), ([, path]) => `${folder}/${path}`);
    return [...Array.from(line.matchAll(PATH), ([, path = ""]) => path), ...own];
  });
}

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
