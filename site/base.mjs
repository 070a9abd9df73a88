// VitePress wants to know the path that a site is published at. This one is built for a path that is a name for whatever it will be,
// which each page finds out when it is opened.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";

export const BASE = "/__base__/";

/** Makes a built site work below any path. */
export function freeOfBase(folder) {
  for (const name of readdirSync(folder, { recursive: true }).map((path) => path.replaceAll("\\", "/"))) {
    const path = join(folder, name);
    if (extname(name) === ".html" && !name.startsWith("api/"))
      writeFileSync(path, htmlOf(readFileSync(path, "utf8"), name));
    if (extname(name) === ".js" && name.startsWith("assets/"))
      writeFileSync(path, scriptOf(readFileSync(path, "utf8")));
    if (extname(name) === ".css") writeFileSync(path, readFileSync(path, "utf8").replaceAll(`${BASE}assets/`, ""));
  }
}

/** Attributes get relative addresses; the first script of a page says what they are relative to. */
function htmlOf(text, name) {
  const up = "../".repeat(name.split("/").length - 1) || "./";
  const script = `<script>window.__BASE__=new URL(${JSON.stringify(up)},location.href).pathname</script>`;
  return text
    .split(/(<script>.*?<\/script>)/s)
    .map((part, i) => {
      if (i % 2 === 0) return part.replaceAll(`"${BASE}`, `"${up}`).replaceAll(`, ${BASE}`, `, ${up}`);
      return part.replace(
        /(window\.__VP_SITE_DATA__=JSON\.parse\("(?:[^"\\]|\\.)*")/,
        (data) => `${data}.replaceAll("${BASE}",window.__BASE__)`,
      );
    })
    .join("")
    .replace("<head>", `<head>${script}`);
}

/** A string that begins with the path becomes an expression; the index of the search is one string full of them, in any quotes. */
function scriptOf(text) {
  const quote = /^const \w+=(["'`])\{\\?"documentCount/.exec(text)?.[1];
  if (quote !== undefined) {
    const base = quote === "`" ? `\${window.__BASE__}` : `${quote}+window.__BASE__+${quote}`;
    return text.replaceAll(BASE, () => base);
  }
  const found = text.replace(/(["'])\/__base__\/([^"'\n]*)\1/g, "(window.__BASE__+$1$2$1)");
  if (found.includes(BASE))
    throw new Error("VitePress writes the path of the site in a way that site/base.mjs does not know");
  return found;
}
