import ts from "typescript";

/** What a piece of the text is; a letter of shapes is itself. */
export type Kind = "" | "comment" | "keyword" | "literal" | "type" | "function" | "T" | "C" | "H" | "D" | "F" | "V";
export type Piece = readonly [text: string, kind: Kind];

/** A TypeScript file by lines, each in pieces of one colour. Together they are the text. */
export function colouredLines(source: string): Piece[][] {
  const file = ts.createSourceFile("model.ts", source, ts.ScriptTarget.Latest, true);
  const lines: Piece[][] = [[]];
  const add = (text: string, kind: Kind): void => {
    for (const [i, part] of text.split("\n").entries()) {
      if (i > 0) lines.push([]);
      if (part === "") continue;
      const line = lines.at(-1)!;
      const last = line.at(-1);
      if (last && last[1] === kind) line[line.length - 1] = [last[0] + part, kind];
      else line.push([part, kind]);
    }
  };
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(file).filter((child) => !ts.isJSDoc(child)); // which is among the comments
    if (children.length > 0) {
      for (const child of children) visit(child);
      return;
    }
    addBetween(source.slice(node.getFullStart(), node.getStart(file)), add);
    add(node.getText(file), kindOf(node));
  };
  visit(file);
  return lines;
}

/** What stands between two tokens: blanks and comments. */
function addBetween(text: string, add: (text: string, kind: Kind) => void): void {
  for (const part of text.split(/(\/\/.*|\/\*.*?\*\/)/s)) {
    if (!part.startsWith("/")) add(part, "");
    else {
      // Letters in a shape, and those that the head of the file explains.
      for (const piece of part.split(/(\[(?:\w+, )*\w+\]|(?<= {2,})[TCHDFV](?= {2}))/)) {
        if (/^\[|^[TCHDFV]$/.test(piece)) for (const each of piece.split(/\b/)) add(each, letterOr(each, "comment"));
        else add(piece, "comment");
      }
    }
  }
}

function letterOr(text: string, other: Kind): Kind {
  return /^[TCHDFV]$/.test(text) ? (text as Kind) : other;
}

function kindOf(node: ts.Node): Kind {
  if (node.kind >= ts.SyntaxKind.FirstKeyword && node.kind <= ts.SyntaxKind.LastKeyword) return "keyword";
  if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) return "literal";
  if (!ts.isIdentifier(node)) return "";
  return letterOr(node.text, isType(node) ? "type" : isCalled(node) ? "function" : "");
}

function isType({ parent }: ts.Identifier): boolean {
  return (
    ts.isTypeReferenceNode(parent) ||
    ts.isInterfaceDeclaration(parent) ||
    ts.isTypeAliasDeclaration(parent) ||
    ts.isTypeParameterDeclaration(parent) ||
    (ts.isImportSpecifier(parent) && parent.isTypeOnly)
  );
}

function isCalled(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isFunctionDeclaration(parent)) return parent.name === node;
  if (ts.isCallExpression(parent)) return parent.expression === node;
  return (
    ts.isPropertyAccessExpression(parent) && ts.isCallExpression(parent.parent) && parent.parent.expression === parent
  );
}
