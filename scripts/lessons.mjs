// The lessons of docs/lessons: a program (NN-name.ts) and a page (NN-name.md), which shows the program and what it prints.
//
//     npm run lesson 6     runs the program of lesson 6
//     npm run lessons      runs all and writes what they print into the pages, their programs, the links to the lessons before and
//                          after, and the list of all; tests/docs/lessons.test.ts fails where that is not what the pages say
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Of the repository's folders, because programs import its packages by name. */
const compiled = join(root, ".cache/lessons");

const INDEX = "docs/lessons/index.md";

const read = (path) => readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");

/** All lessons in their order, as `06-attention`. */
export function lessonNames() {
  const programs = readdirSync(join(root, "docs/lessons")).filter((file) => /^\d\d-.*\.ts$/.test(file));
  return programs.map((file) => file.slice(0, -".ts".length)).sort();
}

/** A lesson's program, and its page if it has one. */
export function lesson(name) {
  const page = `docs/lessons/${name}.md`;
  return { program: read(`docs/lessons/${name}.ts`), page: existsSync(join(root, page)) ? read(page) : undefined };
}

/** Compiles a lesson's program for Node 20, which runs no TypeScript; the path of the result. Types are `npm run typecheck`'s. */
export function compileLesson(name) {
  const { outputText } = ts.transpileModule(lesson(name).program, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  mkdirSync(compiled, { recursive: true });
  const file = join(compiled, `${name}.mjs`);
  writeFileSync(file, outputText);
  return file;
}

/** What a lesson's program prints. */
export async function outputOf(name) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [compileLesson(name)], { cwd: root });
  if (stderr !== "") throw new Error(`lesson ${name} writes to stderr: ${stderr}`);
  return stdout;
}

/** `3. Softmax`, from a lesson's page. */
const titleOf = (name) => /^# (.*)$/m.exec(lesson(name).page ?? "")?.[1] ?? name;
const linkTo = (name) => `[${titleOf(name)}](${name}.md)`;

/** The page with the list of all lessons, which stands between `<!-- lessons -->` and `<!-- /lessons -->`. */
export function writtenIndex() {
  return replaced(
    "index",
    read(INDEX),
    "lessons",
    lessonNames()
      .map((name) => `- ${linkTo(name)}`)
      .join("\n"),
  );
}

/**
 * A lesson's page with its program between `<!-- program -->` and `<!-- /program -->` and what it prints between `<!-- output -->`
 * and `<!-- /output -->`. Between `<!-- example output -->` and `<!-- /output -->` stands one run of a program that prints other
 * numbers on every machine: it is written where there is none yet. The last
 * paragraph begins with `Previous: [...](...) · Next: [...](...) · `.
 */
export function writtenPage(name, page, program, output) {
  const withProgram = replaced(
    name,
    withNeighbours(name, page),
    "program",
    `\`\`\`ts docs/lessons/${name}.ts\n${program.trimEnd()}\n\`\`\``,
  );
  const text = `\`\`\`text\n${output.trimEnd()}\n\`\`\``;
  if (!withProgram.includes("<!-- example output -->")) return replaced(name, withProgram, "output", text);
  return withProgram.replace(/(<!-- example output -->)\s*(<!-- \/output -->)/, (_, begin, end) =>
    [begin, text, end].join("\n"),
  );
}

function withNeighbours(name, page) {
  const names = lessonNames();
  const [previous, next] = [names[names.indexOf(name) - 1], names[names.indexOf(name) + 1]];
  const end = page.lastIndexOf("\n\n") + 2;
  const others = page.slice(end).replace(/(Previous|Next): \[[^\]]*\]\([^)]*\)( ·\s)?/g, "");
  const links = [
    ...(previous === undefined ? [] : [`Previous: ${linkTo(previous)} · `]),
    ...(next === undefined ? [] : [`Next: ${linkTo(next)} · `]),
  ];
  return page.slice(0, end) + links.join("") + others;
}

function replaced(name, page, mark, text) {
  const begin = page.indexOf(`<!-- ${mark} -->`);
  const end = page.indexOf(`<!-- /${mark} -->`);
  if (begin < 0 || end < begin) throw new Error(`${name}.md has no <!-- ${mark} --> … <!-- /${mark} -->`);
  return `${page.slice(0, begin)}<!-- ${mark} -->\n${text}\n${page.slice(end)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [argument] = process.argv.slice(2);
  if (argument === "--write") await writePages();
  else runLesson(argument);
}

async function writePages() {
  for (const name of lessonNames()) {
    const { program, page } = lesson(name);
    const path = join(root, `docs/lessons/${name}.md`);
    if (page === undefined) console.error(`${name}: no page yet`);
    else writeFileSync(path, writtenPage(name, page, program, await outputOf(name)));
  }
  writeFileSync(join(root, INDEX), writtenIndex());
}

function runLesson(number) {
  const names = lessonNames();
  const name = names.find((known) => Number.parseInt(known, 10) === Number(number));
  if (name === undefined) {
    console.error(`Which lesson? npm run lesson NUMBER, of ${names.join(", ")}`);
    process.exit(1);
  }
  process.exit(spawnSync(process.execPath, [compileLesson(name)], { cwd: root, stdio: "inherit" }).status ?? 1);
}
