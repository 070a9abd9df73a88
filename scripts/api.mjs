// The exported API of each package, names and types, as its declarations say: `packages/*/api.md`.
//
//     npm run api          writes the files
//     npm run check:api    fails where they differ from what is built, and shows the difference
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = ["safetensors", "tensor", "gpt2", "server", "cli", "hw1"].map((name) => join(root, "packages", name));
const printer = ts.createPrinter({ removeComments: true });

const entryPoints = packages.flatMap((folder) => {
  const { name, exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.entries(exports).flatMap(([path, { types }]) =>
    types === undefined ? [] : [{ folder, name: name + path.slice(1), file: join(folder, types) }],
  );
});
const program = ts.createProgram(
  entryPoints.map(({ file }) => file),
  { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, skipLibCheck: true, types: ["node"] },
);
const checker = program.getTypeChecker();

const check = process.argv.includes("--check");
let different = false;
for (const folder of packages) {
  const sections = entryPoints.filter((entry) => entry.folder === folder).map(section);
  const text = `# API\n\nWritten by \`npm run api\` from the built declarations: what users of the package can name.\n\n${sections.join("\n")}`;
  const path = join(folder, "api.md");
  if (!check) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, "utf8").replaceAll("\r\n", "\n") !== text) {
    different = true;
    showDifference(path, text);
  }
}
if (different) {
  console.error("The exported API has changed. If that is meant, `npm run api` writes it down.");
  process.exit(1);
}

/** An entry point's exports, sorted by name. */
function section({ name, file, folder }) {
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${relative(root, file)} is missing: npm run build`);
  const texts = exportTexts(checker.getSymbolAtLocation(source), folder);
  return `## \`${name}\`\n\n\`\`\`ts\n${texts.join("\n\n")}\n\`\`\`\n`;
}

function exportTexts(module, folder) {
  return checker
    .getExportsOfModule(module)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((symbol) => exportText(symbol, folder));
}

/** All declarations of an export; of one that comes from elsewhere only the place. */
function exportText(symbol, folder) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declarations = target.declarations ?? [];
  const [first] = declarations;
  if (first === undefined) throw new Error(`${symbol.name}: no declaration`);
  if (!first.getSourceFile().fileName.startsWith(`${folder.replaceAll("\\", "/")}/`)) {
    const from = declarations.map((node) =>
      node.getSourceFile().fileName.replace(`${root.replaceAll("\\", "/")}/`, ""),
    );
    return `// ${symbol.name}: ${[...new Set(from)].join(", ")}`;
  }
  const notes = [];
  if (ts.isSourceFile(first)) notes.push(`// exported as the namespace ${symbol.name}, each a property of it:`);
  else if (target.name !== symbol.name) notes.push(`// exported as ${symbol.name}`);
  if (symbol.declarations?.some((node) => ts.isExportSpecifier(node) && ts.isTypeOnlyExportDeclaration(node))) {
    const isValue = (target.flags & ts.SymbolFlags.Value) !== 0;
    if (isValue) notes.push("// only as a type");
  }
  const texts = ts.isSourceFile(first) ? exportTexts(target, folder) : declarations.map(declarationText);
  return [...notes, ...texts].join("\n");
}

function declarationText(node) {
  // `const` and `declare` stand outside of a variable's own node.
  const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const { transformed } = ts.transform(whole, [withoutPrivates]);
  const text = printer.printNode(ts.EmitHint.Unspecified, transformed[0], node.getSourceFile());
  return text.replaceAll(/^ +/gm, (indent) => " ".repeat(indent.length / 2));
}

/** Takes away what users cannot reach: private and internal members. */
function withoutPrivates(context) {
  const visit = (node) => {
    const hidden =
      (ts.isClassElement(node) || ts.isTypeElement(node)) &&
      ((node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
        (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0 ||
        ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal"));
    if (hidden) return undefined;
    const visited = ts.visitEachChild(node, visit, context);
    return ts.isTupleTypeNode(visited) ? ts.setEmitFlags(visited, ts.EmitFlags.SingleLine) : visited;
  };
  return (node) => ts.visitNode(node, visit);
}

function showDifference(path, text) {
  const folder = mkdtempSync(join(tmpdir(), "api-"));
  try {
    const file = join(folder, "api.md");
    writeFileSync(file, text);
    const { stdout } = spawnSync(
      "git",
      ["diff", "--no-index", "--no-prefix", "-U2", existsSync(path) ? path : "/dev/null", file],
      {
        encoding: "utf8",
      },
    );
    const shown = relative(root, path);
    const body = stdout.slice(Math.max(0, stdout.indexOf("\n@@")));
    console.error(`--- ${shown}\n+++ what is built${body}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
