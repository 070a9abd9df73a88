import { readFileSync } from "node:fs";

/**
 * The TypeScript examples of a README: fenced blocks marked `ts`. Those marked `ts no-run` are only to be compiled, those
 * marked `ts sketch` are not whole programs and left out. An example says what it prints in comments: behind a
 * `console.log` on the same line, or on the lines that follow it.
 */
export function readmeExamples(file, name) {
  const text = readFileSync(file, "utf8");
  const examples = [];
  for (const match of text.matchAll(/^```ts( [^\n]*)?\n(.*?)^```$/gms)) {
    const [, mark = "", code] = match;
    if (mark.trim() === "sketch") continue;
    const line = text.slice(0, match.index).split("\n").length;
    examples.push({ where: `${name}, README.md:${line}`, code, runs: mark.trim() !== "no-run", prints: printed(code) });
  }
  return examples;
}

function printed(code) {
  const prints = [];
  let follows = false;
  for (const line of code.split("\n")) {
    const comment = follows ? /^\s*\/\/ (.*)$/.exec(line) : null;
    if (comment !== null) {
      prints.push(comment[1]);
      continue;
    }
    const [, isLog, behind] = /^\s*(console\.log\(.*\);)?(?:.*?\/\/ (.*))?$/.exec(line) ?? [];
    follows = isLog !== undefined;
    if (isLog !== undefined && behind !== undefined) prints.push(behind);
  }
  return prints;
}
