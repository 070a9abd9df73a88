import { readFileSync } from "node:fs";

/**
 * The examples of a document: fenced blocks marked `js`, which Node runs as they stand, and `ts`, which are compiled first.
 * Those marked `no-run` are only compiled; those marked `sketch` are not whole programs, and those that name a file (with a
 * `/`) are quotes: both are left out. An example says what it prints in comments: behind a `console.log` on the same line, or
 * else on the lines that follow it.
 */
export function readmeExamples(file, name) {
  const text = readFileSync(file, "utf8");
  const examples = [];
  for (const match of text.matchAll(/^```(js|ts)(?: ([^\n]*))?\n(.*?)^```$/gms)) {
    const [, language, mark = "", code] = match;
    if (mark === "sketch" || mark.includes("/")) continue;
    if (mark !== "" && mark !== "no-run") throw new Error(`${name}: an example is marked ${JSON.stringify(mark)}`);
    const line = text.slice(0, match.index).split("\n").length;
    examples.push({ where: `${name}:${line}`, language, code, runs: mark !== "no-run", prints: printed(code) });
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
    follows = isLog !== undefined && behind === undefined;
    if (isLog !== undefined && behind !== undefined) prints.push(behind);
  }
  return prints;
}
