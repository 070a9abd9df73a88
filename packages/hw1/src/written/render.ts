import { type CheckResult, formatNumber, type WrittenProblem } from "./problem.ts";

/** A written problem as the page shows it. */
export interface Section {
  readonly problem: WrittenProblem;
  /** The name of its module's file. */
  readonly file: string;
  /** The docstring of its module: prose, and formulas in lines that are indented by four spaces. */
  readonly derivation: string;
}

/** The docstring of the problem that a module defines, or undefined if it defines none. */
export function derivationOf(source: string): string | undefined {
  const docstring = /\/\*\*\n((?: \*.*\n)+?) \*\/\nexport const \w+: WrittenProblem = /.exec(source)?.[1];
  return docstring?.replace(/^ \* ?/gm, "").trimEnd();
}

/** The sections of the modules that define a problem, in the order of `problems`. Throws an Error for one without module. */
export function sectionsOf(problems: readonly WrittenProblem[], sources: ReadonlyMap<string, string>): Section[] {
  return problems.map((problem) => {
    for (const [file, source] of sources) {
      const derivation = derivationOf(source);
      if (derivation !== undefined && source.includes(`  id: "${problem.id}",\n`)) return { problem, file, derivation };
    }
    throw new Error(`problem ${problem.id}: no module has a docstring and this id`);
  });
}

/** `docs/hw1.md`: all written problems, with the numbers of `seed`. */
export function renderPage(sections: readonly Section[], seed: number): string {
  const overview = sections.map(({ problem }) => {
    const { id, title, differs } = problem;
    return `| ${id} | [${plain(title)}](#${anchor(id, title)}) | ${differs === undefined ? "agrees" : "differs"} |`;
  });
  return `${[
    "# Problem set 1: the written problems",
    "The written half of Problem Set 1 of *Deep Generative Models* (Stanford CS236, October 2023), answered anew: each " +
      "problem with its answer, a derivation, and numbers that would be different if the answer were wrong. One student's " +
      "answer sheet was the starting point; where this page differs from it, it says how and why. The programming half, and its " +
      "files in the course's own formats, are in [the package's README](../packages/hw1/README.md).",
    `The page is written by \`node packages/hw1/scripts/write-docs.mjs\` (after \`npm run build\`) from the modules in ` +
      `[\`packages/hw1/src/written\`](../packages/hw1/src/written): a module is one problem. \`npx hw1 written\` prints the ` +
      `same claims and numbers, with \`--seed\` for other random cases (here: ${seed}). The laws behind them are checked by ` +
      "the property tests in [`packages/hw1/test/written`](../packages/hw1/test/written). Logarithms are natural.",
    ["| problem | | answer sheet |", "| --- | --- | --- |", ...overview].join("\n"),
    ...sections.map((section) => renderSection(section, seed)),
  ].join("\n\n")}\n`;
}

function renderSection({ problem, file, derivation }: Section, seed: number): string {
  const { id, title, claim, differs, check } = problem;
  const parts = [`## ${id} ${plain(title)}`, `**Answer.** ${prose(claim)}`, `**Why.** ${renderDerivation(derivation)}`];
  if (differs !== undefined) parts.push(`**Where the answer sheet differs.** ${prose(differs)}`);
  const rows = check(seed).map(row);
  parts.push(["| number | expected | got | |", "| --- | --- | --- | --- |", ...rows].join("\n"));
  parts.push(`Module: [\`${file}\`](../packages/hw1/src/written/${file})`);
  return parts.join("\n\n");
}

/** Prose as paragraphs, formulas as blocks of code. */
function renderDerivation(derivation: string): string {
  const blocks = derivation.split(/\n\n/).map((block) => {
    const lines = block.split("\n");
    const isFormula = lines.every((line) => line.startsWith("    "));
    return isFormula ? ["```text", ...lines.map((line) => line.slice(4)), "```"].join("\n") : prose(lines.join("\n"));
  });
  return blocks.join("\n\n");
}

function row({ what, expected, got, tolerance, holds }: CheckResult): string {
  const within = tolerance === undefined || tolerance === 0 ? "" : ` ± ${formatNumber(tolerance)}`;
  const cells = [prose(what), `${show(expected)}${within}`, show(got), holds ? "✓" : "✗"];
  return `| ${cells.join(" | ")} |`;
}

function show(value: number | string): string {
  return typeof value === "number" ? formatNumber(value) : prose(value);
}

/** `x_i` and `p^(1/T)`: an index or a power of one word, or of what is in braces or parentheses. */
const script = /([_^])(?:\{([^}]*)\}|\(([^()]{2,})\)|(\([^()]\)|[<-]?[\p{Ll}\p{Lu}\p{N}]\p{M}?[\p{Ll}\p{Lu}\p{N}]*))/gu;

/** Text with indices and powers as Markdown. */
function prose(text: string): string {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(script)) {
    const tag = match[1] === "_" ? "sub" : "sup";
    const content = match[2] ?? match[3] ?? match[4]!;
    result += `${plain(text.slice(end, match.index))}<${tag}>${plain(content)}</${tag}>`;
    end = match.index + match[0].length;
  }
  return result + plain(text.slice(end));
}

/** Plain text as Markdown that shows it unchanged, in a table too. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>|~$]/g, "\\$&");
}

/** The fragment that GitHub gives a heading. */
function anchor(id: string, title: string): string {
  return `${id} ${title}`
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
}
