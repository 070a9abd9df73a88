// Turns the functions of the GPU kernels in dist/ into their text, which is all that GPU.js takes of them. A minifier may
// rewrite functions in ways that mean the same to an engine but that GPU.js does not take, or takes for something else:
// `return i++, a[i]`, or a variable of a block that has the name of a parameter. Text it leaves alone. Run after `tsc`;
// what is text already stays as it is. Line numbers stay, for the source maps.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const folder = fileURLToPath(new URL("../dist/backends/gpu/kernels/", import.meta.url));
for (const name of readdirSync(folder).filter((file) => file.endsWith(".js"))) {
  const file = join(folder, name);
  const before = readFileSync(file, "utf8");
  const after = withTexts(before);
  if (after !== before) writeFileSync(file, after);
}

/** A module with every method `body` of an object that has `arguments` replaced by a property with the function's text. */
function withTexts(text) {
  const source = ts.createSourceFile("kernels.js", text, ts.ScriptTarget.Latest, true);
  const printer = ts.createPrinter({ removeComments: true });
  const edits = [];
  const visit = (node) => {
    if (ts.isObjectLiteralExpression(node) && node.properties.some((property) => nameOf(property) === "arguments")) {
      const body = node.properties.find((property) => ts.isMethodDeclaration(property) && nameOf(property) === "body");
      if (body) edits.push({ start: body.getStart(), end: body.end, text: textOf(body) });
    }
    ts.forEachChild(node, visit);
  };
  const textOf = (method) => {
    const printed = printer.printNode(ts.EmitHint.Unspecified, method, source);
    const lines = text.slice(method.getStart(), method.end).split("\n").length;
    return `body: ${JSON.stringify(`function ${printed.replaceAll(/\n\s*/g, "\n")}`)}${"\n".repeat(lines - 1)}`;
  };
  visit(source);
  return edits.reduceRight(
    (changed, { start, end, text }) => changed.slice(0, start) + text + changed.slice(end),
    text,
  );
}

function nameOf({ name }) {
  return name && ts.isIdentifier(name) ? name.text : undefined;
}
