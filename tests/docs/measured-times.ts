/**
 * Finds where a test depends on the speed of a machine: it compares a measured time with an upper limit, has a limit that is too low for a
 * busy one, or interrupts something by a timer, which on a fast one has ended by then.
 */
import ts from "typescript";

/** What reads a clock: wall time and processor time. */
const CLOCKS = /^(?:globalThis\.)?(?:performance\.now|Date\.now|process\.(?:hrtime(?:\.bigint)?|cpuUsage|uptime))$/;
/** Matchers that a longer time fails, and, behind `not` or the other way round, those that a shorter one does. */
const UPPER = new Set(["toBeLessThan", "toBeLessThanOrEqual", "toBeCloseTo"]);
const LOWER = new Set(["toBeGreaterThan", "toBeGreaterThanOrEqual"]);
const COMPARISONS = new Set([
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);
const LIMITS = new Set(["timeout", "testTimeout", "hookTimeout"]);
/** What takes a limit of its own: tests, what waits, and programs that are run. (Other options of that name are of what is tested.) */
const WAITS =
  /^(?:it|test|describe|before|after|expect\.poll|vi\.wait|fc\.assert|defineConfig)\b|\.waitFor\w*$|(?:spawn|exec)\w*$/;
/** What ends something that goes on. */
const INTERRUPTION = /\.(?:abort|cancel|dispose|kill)\(/;
/** Milliseconds: what a machine that does a lot else may need for work of a second. */
export const LEAST_LIMIT = 30_000;

/** Lines that break the rule, each with what is wrong there. */
export function timeLimitsIn(name: string, text: string): string[] {
  if (!/performance|Date|process|timeout/i.test(text)) return []; // nothing of what is looked for
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const times = namesOfTimes(file);
  const found: string[] = [];
  const report = (node: ts.Node, what: string): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${name}:${line + 1}: ${what}: ${node.getText().replace(/\s+/g, " ").slice(0, 80)}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && failsIfLong(node, times)) report(node, "compares a time with an upper limit");
    if (ts.isCallExpression(node) && interruptsByTimer(node)) report(node, "interrupts something by a timer");
    if (ts.isPropertyAssignment(node) && LIMITS.has(node.name.getText()) && isOptionOf(WAITS, node)) {
      const limit = numberOf(node.initializer);
      if (limit !== undefined && limit < LEAST_LIMIT) report(node, `a limit below ${LEAST_LIMIT} ms`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** `setTimeout(() => controller.abort(), 20)`; without a delay it comes with the next turn of the event loop, whatever the machine. */
function interruptsByTimer({ expression, arguments: [first, delay] }: ts.CallExpression): boolean {
  const name = expression.getText();
  if (name === "AbortSignal.timeout") return true;
  return name === "setTimeout" && delay !== undefined && INTERRUPTION.test(first!.getText());
}

/** Variables that hold times, and functions that return them: by what they are declared or set as, over and over until no more come. */
function namesOfTimes(file: ts.SourceFile): Set<string> {
  const times = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer) {
      for (const name of namesSetTo(node.name, node.initializer, times)) times.add(name);
    } else if (ts.isFunctionDeclaration(node) && node.name && returnsTime(node, times)) {
      times.add(node.name.text);
    } else if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
      if (ts.isIdentifier(node.left) && isTime(node.right, times)) times.add(node.left.text);
    }
    ts.forEachChild(node, visit);
  };
  for (let before = -1; before < times.size; ) {
    before = times.size;
    visit(file);
  }
  return times;
}

/** Of the names of a declaration, those that get a time. */
function namesSetTo(target: ts.BindingName, value: ts.Expression, times: ReadonlySet<string>): string[] {
  if (ts.isIdentifier(target)) return isTime(value, times) || isTimer(value, times) ? [target.text] : [];
  return target.elements.flatMap((element, i) => {
    if (ts.isOmittedExpression(element)) return [];
    const part = ts.isArrayLiteralExpression(value) ? value.elements[i] : value;
    return part === undefined ? [] : namesSetTo(element.name, part, times);
  });
}

/** Whether an expression is a time or made of one; functions in it are not run here. */
function isTime(node: ts.Node, times: ReadonlySet<string>): boolean {
  if (ts.isFunctionLike(node)) return false;
  if (ts.isIdentifier(node)) return times.has(node.text) && !isNameOnly(node);
  if (ts.isCallExpression(node) && CLOCKS.test(node.expression.getText())) return true;
  return ts.forEachChild(node, (child) => isTime(child, times) || undefined) ?? false;
}

/** Whether it names a field, not a variable. */
function isNameOnly(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)) && parent.name === node;
}

function isTimer(node: ts.Expression, times: ReadonlySet<string>): boolean {
  return (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) && returnsTime(node, times);
}

function returnsTime({ body }: ts.FunctionLikeDeclaration, times: ReadonlySet<string>): boolean {
  if (body === undefined) return false;
  if (!ts.isBlock(body)) return isTime(body, times);
  const visit = (node: ts.Node): boolean => {
    if (ts.isFunctionLike(node)) return false;
    if (ts.isReturnStatement(node)) return node.expression !== undefined && isTime(node.expression, times);
    return ts.forEachChild(node, (child) => visit(child) || undefined) ?? false;
  };
  return visit(body);
}

/** Whether this is `expect(…).matcher(…)` that fails if a time is long. */
function failsIfLong(call: ts.CallExpression, times: ReadonlySet<string>): boolean {
  if (!ts.isPropertyAccessExpression(call.expression)) return false;
  const matcher = call.expression.name.text;
  const { values, negated } = expectation(call.expression.expression);
  if (values.some((value) => comparesTime(value, times))) return true;
  const [upper, lower] = negated ? [LOWER, UPPER] : [UPPER, LOWER];
  if (upper.has(matcher)) return values.some((value) => isTime(value, times));
  return lower.has(matcher) && call.arguments.some((limit) => isTime(limit, times));
}

/** What is expected of what, in front of a matcher: `expect(…).not`. */
function expectation(node: ts.Expression): { values: readonly ts.Expression[]; negated: boolean } {
  if (ts.isPropertyAccessExpression(node)) {
    const { values, negated } = expectation(node.expression);
    return { values, negated: negated !== (node.name.text === "not") };
  }
  const isExpect = ts.isCallExpression(node) && /^expect(?:\.(?:soft|poll))?$/.test(node.expression.getText());
  return { values: isExpect ? node.arguments.slice(0, 1) : [], negated: false };
}

function comparesTime(node: ts.Node, times: ReadonlySet<string>): boolean {
  if (ts.isFunctionLike(node)) return false;
  if (ts.isBinaryExpression(node) && COMPARISONS.has(node.operatorToken.kind) && isTime(node, times)) return true;
  return ts.forEachChild(node, (child) => comparesTime(child, times) || undefined) ?? false;
}

/** Whether this stands in an object that is given to such a function. */
function isOptionOf(functions: RegExp, { parent: options }: ts.PropertyAssignment): boolean {
  let { parent } = options;
  while (ts.isPropertyAssignment(parent) || ts.isObjectLiteralExpression(parent)) parent = parent.parent;
  return ts.isCallExpression(parent) && functions.test(parent.expression.getText());
}

function numberOf(node: ts.Expression): number | undefined {
  return ts.isNumericLiteral(node) ? Number(node.text) : undefined;
}
