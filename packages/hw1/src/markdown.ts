/** A cell of a table, or any text that is to be shown as it is: on one line, with Markdown's and HTML's marks escaped. */
export function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[\\`*_{}[\]<>|#&~$!]/g, "\\$&");
}

/** A table. Numbers of columns that start with `:` are on the right. The cells are Markdown. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const heads = columns.map((column) => column.replace(/^:/, ""));
  const rules = columns.map((column) => (column.startsWith(":") ? "---:" : "---"));
  return [heads, rules, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Any text, verbatim, line by line. */
export function verbatim(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([marks]) => marks.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}text\n${text}\n${fence}`;
}

/** A link to a file, by its path from the document. */
export function link(path: string): string {
  return `[${plain(path)}](${path.split("/").map(encodeURIComponent).join("/")})`;
}

/** A figure in the colours that the reader's page has: `PATH.svg`, or `PATH-dark.svg` on dark pages. */
export function picture(path: string, alt: string): string {
  const url = path.split("/").map(encodeURIComponent).join("/");
  return [
    "<picture>",
    `  <source media="(prefers-color-scheme: dark)" srcset="${url}-dark.svg">`,
    `  <img src="${url}.svg" alt="${attribute(alt)}">`,
    "</picture>",
    "",
    `<sub>PNG: [light](${url}.png), [dark](${url}-dark.png)</sub>`,
  ].join("\n");
}

function attribute(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replaceAll(/[&<>"]/g, (mark) => entities[mark]!);
}
