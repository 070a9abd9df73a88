import { join } from "node:path";
import { writeWhole } from "@gpt2-ts/gpt2/node";
import { withMinus } from "./figures/canvas.ts";
import { LOWEST, likelihoodAxis } from "./figures/histogram.ts";
import { type Figure, figuresOf, writeFigures } from "./figures/index.ts";
import { perCharacters } from "./likelihood.ts";
import { link, picture, plain, table, verbatim } from "./markdown.ts";
import { median } from "./median.ts";
import type {
  ClassificationResults,
  HorizonCosts,
  Hw1Results,
  LikelihoodResults,
  SampleRun,
  SetLikelihoods,
} from "./results.ts";

const REPORT = "report.md";
const FIGURES = "figures";
/** Characters of a sample that the report shows. */
const EXCERPT = 400;

/**
 * Writes what a run found into an existing folder: `figures/NAME.svg`, `-dark.svg`, `.png` and `-dark.png`, then
 * `report.md`. A file is replaced only by a complete one.
 *
 * @returns the paths of the files
 * @throws RangeError for an invalid log-likelihood, before anything is written; Error that names a file which cannot
 *   be written
 */
export async function writeReport(out: string, results: Hw1Results): Promise<string[]> {
  const figures = figuresOf(results);
  const text = reportText(results, figures);
  const written = (await writeFigures(join(out, FIGURES), figures)).map((name) => join(out, FIGURES, name));
  const path = join(out, REPORT);
  await writeWhole(path, text);
  return [...written, path];
}

/** The report, as Markdown. */
function reportText(results: Hw1Results, figures: readonly Figure[]): string {
  const { samples, likelihood, classification, courseFiles, costs } = results;
  const shown = new Map(figures.map(({ name, alt }) => [name, picture(`${FIGURES}/${name}`, alt)]));
  const sections = [
    "# Problem set 1: the programming part",
    whatWasRun(results),
    ...(samples ? [sampleSection(samples)] : []),
    ...(likelihood ? [likelihoodSection(likelihood, shown)] : []),
    ...(classification ? [classificationSection(classification, shown)] : []),
    ...(courseFiles ? [courseFilesSection(courseFiles)] : []),
    ...(costs ? [costSection(costs)] : []),
    timingSection(results),
  ];
  return `${sections.join("\n\n")}\n`;
}

function whatWasRun({ model, seed, data }: Hw1Results): string {
  const { name, parameters, nPositions, vocabSize, device } = model;
  const facts = [
    ["model", `${plain(name)}: ${grouped(parameters)} parameters, ${nPositions} positions, ${vocabSize} tokens`],
    ["device", plain(device)],
    ["seed", String(seed)],
  ];
  return `${table(["run", "with"], facts)}\n\nTexts:\n\n${data.map((source) => `- ${plain(source)}`).join("\n")}`;
}

function sampleSection(runs: readonly SampleRun[]): string {
  const rows = runs.map(({ file, temperature, horizon, topK, horizon2TopK, samples }) => {
    const tokens = samples.reduce((sum, { ids }) => sum + ids.length, 0);
    const cut = horizon2TopK === "second" ? `${topK}, of the second token too` : String(topK);
    return [link(file), String(temperature), String(horizon), cut, String(samples.length), String(tokens)];
  });
  const cut = runs.flatMap(({ samples }) => samples).filter(({ finishReason }) => finishReason === "context").length;
  const note = cut === 0 ? [] : [`Samples that end early, where prompt and sample fill the model's context: ${cut}.`];
  const excerpts = runs.flatMap(({ file, samples }) =>
    samples.slice(0, 1).map(({ prompt, continuation }) => {
      const text = [...`${prompt}${continuation}`];
      const rest = text.length > EXCERPT ? " …" : "";
      return `The first of ${link(file)}, its prompt included:\n\n${verbatim(text.slice(0, EXCERPT).join("") + rest)}`;
    }),
  );
  return [
    "## Samples (6.3, 6.6, 6.7b)",
    table(["file", ":temperature", ":horizon", ":top-k", ":samples", ":tokens"], rows),
    ...note,
    ...excerpts,
  ].join("\n\n");
}

function likelihoodSection({ sets, strip }: LikelihoodResults, shown: ReadonlyMap<string, string>): string {
  const [lowest] = likelihoodAxis(sets);
  const below = sets.flatMap(({ logLikelihoods }) => logLikelihoods).filter((value) => value < LOWEST).length;
  const note =
    below === 0
      ? []
      : [
          `The sheet's axis goes from ${withMinus(LOWEST)} to 0. Values below that: ${below}. So here it starts at ` +
            `${withMinus(lowest)}, and nothing is left out.`,
        ];
  return [
    "## Likelihood (6.4)",
    "Σ log p(x_t | x_<t) over the tokens of a text but the first, in nats.",
    table(
      ["set", ":texts", ":lowest", ":median", ":highest", ":median a character", "values"],
      sets.map(likelihoodRow),
    ),
    ...note,
    ...sets.map(({ name }) => shown.get(`likelihood-${name}`)!),
    shown.get("likelihood-joint")!,
    `One text, token by token: ${strip.tokens.length} tokens.`,
    shown.get("likelihood-tokens")!,
  ].join("\n\n");
}

function likelihoodRow(set: SetLikelihoods): string[] {
  const { title, file, logLikelihoods } = set;
  const sorted = [...logLikelihoods].sort((a, b) => a - b);
  const [lowest, middle, highest] = [sorted[0], median(sorted), sorted.at(-1)].map((value) => shownOr(value, 1));
  return [
    plain(title),
    String(logLikelihoods.length),
    lowest!,
    middle!,
    highest!,
    shownOr(median(perCharacters(set)), 3),
    link(file),
  ];
}

function classificationSection(
  { rule, threshold, training, heldOut, mixed }: ClassificationResults,
  shown: ReadonlyMap<string, string>,
): string {
  const found = mixed.random.filter((random) => random).length;
  const share = mixed.accuracy === undefined ? "" : ` ${percent(mixed.accuracy)} of the labels are right.`;
  return [
    "## Random or real (6.5)",
    `A text is taken for random if its log-likelihood per character is below **${withMinus(threshold, 3)} nats**. Nothing ` +
      `is trained. How the threshold was chosen, from ${training.random} random and ${training.real} real texts: ` +
      plain(rule),
    table(
      ["on texts never seen before", ":"],
      [
        ["random texts", String(heldOut.random)],
        ["real texts", String(heldOut.real)],
        ["accuracy", percent(heldOut.accuracy)],
        ["AUC", heldOut.auc.toFixed(4)],
      ],
    ),
    shown.get("roc")!,
    `The mixed file: ${found} of ${mixed.random.length} texts are taken for random, see ${link(mixed.file)}.${share}`,
  ].join("\n\n");
}

function courseFilesSection(files: readonly string[]): string {
  return `## Files in the course's formats\n\n${files.map((file) => `- ${link(file)}`).join("\n")}`;
}

function costSection({ k, prefix, plain: single, horizon2, naive }: HorizonCosts): string {
  const row = (way: string, seconds: number): string[] => [
    way,
    (seconds * 1000).toFixed(2),
    (seconds / single).toFixed(1),
    (seconds / ((k + 1) * single)).toFixed(2),
  ];
  return [
    "## What a horizon of two tokens costs (6.7b)",
    `Medians of means of some steps in a row, measured in turns after ${prefix} tokens, with ${k} candidates.`,
    table(
      ["one token by", ":ms", ":passes over one token", `:of ${k + 1} such passes`],
      [
        row("horizon 1: one pass", single),
        row(`horizon 2: one pass, and the ${k} candidates as one batch that shares the prefix`, horizon2),
        row(`horizon 2 done naively: ${k + 1} passes`, naive),
      ],
    ),
  ].join("\n\n");
}

function timingSection({ timings }: Hw1Results): string {
  const rows = timings.map(({ task, seconds }) => [plain(task), seconds.toFixed(1)]);
  return `## Time\n\n${table(["task", ":seconds"], rows)}`;
}

function shownOr(value: number | undefined, digits: number): string {
  return value === undefined ? "none" : withMinus(value, digits);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** With a comma between thousands. */
function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
