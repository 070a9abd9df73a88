// The pages of the site, made of the documents of the repository: as they are, but for their links. A link to a source file leads to a
// page that shows it, one to a folder to its README or to a list of its files, so that the site needs nothing besides.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { writeHw1Page } from "./hw1.mjs";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const PAGES = fileURLToPath(new URL(".pages", import.meta.url));

/** Pages that are built beside those made of documents: not for VitePress's router. */
const BUILT = new Set(["playground/index.html"]);
const IMAGES = new Set([".svg", ".png", ".gif", ".jpg", ".webp"]);
/** In Markdown and in the HTML within it. */
const LINK = /(\]\()([^)\s]+)(\))|(\b(?:src|srcset|href)=")([^"]+)(")/g;

/** The documents, in the order of the sidebar. */
export function documents() {
  const inFolder = (folder) =>
    existsSync(join(ROOT, folder))
      ? readdirSync(join(ROOT, folder))
          .filter((name) => name.endsWith(".md"))
          .sort()
          .map((name) => `${folder}/${name}`)
      : [];
  const packages = readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/README.md`);
  return [
    "README.md",
    ...inFolder("docs"),
    ...inFolder("docs/lessons"),
    ...packages,
    "weights/stories/README.md",
    "weights/shakespeare/README.md",
    "examples/tensor/README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
  ].filter((name) => existsSync(join(ROOT, name)));
}

/** Where a file or folder of the repository is in the site, without an ending for pages: `docs/reading`, `code/package.json`. */
const placeOf = (path) => {
  if (/(^|\/)README\.md$/.test(path)) return path.replace(/README\.md$/, "index");
  if (path.endsWith(".md")) return path.slice(0, -3);
  return `code/${path}`;
};

/** Writes all pages to the folder PAGES. */
export function writePages() {
  rmSync(PAGES, { recursive: true, force: true });
  const waiting = documents();
  const written = new Set();
  const want = (path) => {
    if (!written.has(path) && !waiting.includes(path)) waiting.push(path);
  };
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    written.add(path);
    const place = placeOf(path);
    const page = join(PAGES, `${place}.md`);
    mkdirSync(dirname(page), { recursive: true });
    writeFileSync(page, contentOf(path, place, want));
  }
  writeHw1Page(PAGES);
  for (const name of readdirSync(PAGES, { recursive: true }).filter((name) => name.endsWith(".md"))) {
    const page = join(PAGES, name);
    writeFileSync(page, withBothThemes(readFileSync(page, "utf8")));
  }
}

/** A picture that follows the reader's system, as the two of it: the site has a switch of its own. */
function withBothThemes(text) {
  return text.replace(PICTURE, (_, dark, light, rest) => {
    return `<img class="light-only" src="${light}"${rest}><img class="dark-only" src="${dark}"${rest}>`;
  });
}

const PICTURE =
  /<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*<img src="([^"]+)"([^>]*)>\s*<\/picture>/g;

function contentOf(path, place, want) {
  const file = join(ROOT, path);
  if (path.endsWith(".md")) return withLinks(readFileSync(file, "utf8"), path, place, want);
  if (statSync(file).isDirectory()) {
    // Its folders are named only: with all that is below them, the site would be the repository.
    const shown = readdirSync(file, { withFileTypes: true }).filter(({ name }) => !NOT_SHOWN.test(name));
    const list = shown.map((entry) => {
      const isPage = entry.isFile() && !entry.name.includes(".generated.");
      return isPage ? `- [${entry.name}](${encodeURI(posix.join(basename(path), entry.name))})` : `- ${entry.name}`;
    });
    return withLinks(`${FRONTMATTER}# ${path}\n\n${list.join("\n")}\n`, path, place, want, dirname(path));
  }
  const text = readFileSync(file, "utf8").trimEnd();
  const fence = "`".repeat(Math.max(3, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length + 1)));
  return `${FRONTMATTER}# ${path}\n\n${fence}${LANGUAGES[extname(path)] ?? "txt"}:line-numbers\n${text}\n${fence}\n`;
}

const NOT_SHOWN = /^(\.|node_modules$|dist$)/;
const LANGUAGES = {
  ".ts": "ts",
  ".mjs": "js",
  ".cjs": "js",
  ".js": "js",
  ".json": "json",
  ".py": "python",
  ".sh": "sh",
};

/** Code is found by its documents, not by the search. */
const FRONTMATTER = "---\nsearch: false\naside: false\nprev: false\nnext: false\n---\n\n";

/** A document with its links as the site needs them. Code is left alone. */
function withLinks(text, path, place, want, folder = dirname(path)) {
  const follow = (target) => {
    if (/^(https?:|mailto:|#)/.test(target)) return target;
    const [name, hash] = decodeURI(target).split("#");
    const found = resolve(posix.normalize(posix.join(folder, name)));
    if (found === undefined) throw new Error(`${path} links to ${target}, which is not there`);
    if (BUILT.has(found)) return relative(place, found);
    if (IMAGES.has(extname(found))) {
      cpSync(join(ROOT, found), join(PAGES, found));
      return relative(place, found);
    }
    want(found);
    return `${relative(place, placeOf(found))}.md${hash === undefined ? "" : `#${hash}`}`;
  };
  return text
    .split(/(^```[^\n]*\n.*?^```$|`[^`\n]+`)/ms)
    .map((part, i) => {
      if (i % 2 === 1) return part;
      return part.replace(LINK, (_, a, link, b, c, attribute, d) =>
        link ? a + follow(link) + b + attributesOf(link) : c + follow(attribute) + d,
      );
    })
    .join("");
}

const attributesOf = (link) => (BUILT.has(link.replace(/^(\.\.?\/)+/, "")) ? '{target="_self"}' : "");

/** A path that there is: a folder's README where it has one. */
function resolve(path) {
  const clean = path.replace(/\/$/, "");
  if (!existsSync(join(ROOT, clean))) return undefined;
  const readme = posix.join(clean, "README.md");
  return statSync(join(ROOT, clean)).isDirectory() && existsSync(join(ROOT, readme)) ? readme : clean;
}

const relative = (from, to) => {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
};
