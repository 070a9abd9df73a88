import { mkdir } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type GPT2, parameterCount } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { createProgress, displayModel, interruptible, loadFrom, writeOut } from "gpt2-ts";
import { COURSE_PARTS, type CoursePart } from "../data/course-data.ts";
import { loadCourseData } from "../data.ts";
import { DEFAULT_SOURCES } from "../default-sets.ts";
import type {
  ClassificationResults,
  HorizonCosts,
  Hw1Results,
  LikelihoodResults,
  ModelSummary,
  SampleRun,
} from "../results.ts";
import { checkHalves, runClassification } from "../tasks/classification.ts";
import { measureHorizonCosts } from "../tasks/horizon-costs.ts";
import { runLikelihoods, writeLikelihoods } from "../tasks/likelihoods.ts";
import {
  courseHorizon2Samples,
  horizon2Samples,
  plainSamples,
  runSampling,
  temperatureSamples,
} from "../tasks/sampling.ts";
import type { Setting } from "../tasks/setting.ts";
import { addTaskOptions, checkTaskFlags, courseFilesOption, horizon2TopKOption, type TaskFlags } from "./options.ts";
import { printWritten } from "./written.ts";

/** The parts of the results that tasks produce. */
type Findings = Pick<Hw1Results, "samples" | "likelihood" | "classification" | "courseFiles" | "costs">;

/** Runs a part of a task, and records how long it took. */
type Timed = <Result>(task: string, work: () => Promise<Result>) => Promise<Result>;

const FILES_NOTE =
  "\nFiles are replaced only once the new ones are complete; report.md tells of this run. Their names are printed to" +
  "\nstandard output, progress goes to standard error." +
  "\n--data: a folder with random, shakespeare, neurips and snippets as .pkl, .json, .jsonl or .txt, and papers.csv;" +
  "\na task asks only for those it needs.";

/** The commands that run a model. */
export function taskCommands(): Command[] {
  return [
    taskCommand("all", "run every task, and print the written problems", COURSE_PARTS, all)
      .addOption(courseFilesOption())
      .addOption(horizon2TopKOption()),
    taskCommand("sample", "6.3: continue five prompts", ["prompts"], sample),
    taskCommand(
      "likelihood",
      "6.4: the log-likelihood of random letters, Shakespeare and papers",
      ["sets"],
      likelihood,
    ),
    taskCommand("classify", "6.5: tell random texts from real ones by their likelihood", ["sets", "mixed"], classify),
    taskCommand(
      "temperature",
      "6.6 and 6.7b: sample with a temperature over one token, and over two",
      ["prompts"],
      temperature,
    ).addOption(horizon2TopKOption()),
  ];
}

function taskCommand(
  name: string,
  description: string,
  parts: readonly CoursePart[],
  work: (setting: Setting, timed: Timed) => Promise<Findings>,
): Command {
  return addTaskOptions(new Command(name))
    .description(description)
    .addHelpText("after", FILES_NOTE)
    .action((flags: TaskFlags) => interruptible((signal) => run(flags, parts, signal, work)));
}

async function run(
  flags: TaskFlags,
  parts: readonly CoursePart[],
  signal: AbortSignal,
  work: (setting: Setting, timed: Timed) => Promise<Findings>,
): Promise<void> {
  checkTaskFlags(flags);
  const { out, seed, length, courseFiles = false, horizon2TopK = "pairs" } = flags;
  const timings: { task: string; seconds: number }[] = [];
  const timed: Timed = async (task, part) => {
    const began = performance.now();
    const result = await part();
    timings.push({ task, seconds: (performance.now() - began) / 1000 });
    return result;
  };
  const data = await timed("data", () => loadCourseData(flags.data, seed, parts));
  await makeFolder(out);
  const written: string[] = [];
  const progress = createProgress("items");
  using model = await timed("loading", () => loadFrom(flags, signal));
  let findings: Findings;
  try {
    const onFile = (path: string): unknown => written.push(path);
    const wishes = { out, seed, length, courseFiles, horizon2TopK };
    findings = await work({ ...wishes, model, data, signal, progress, onFile }, timed);
  } finally {
    progress.stop();
  }
  const sources = flags.data === undefined ? DEFAULT_SOURCES : [`The folder ${basename(resolve(flags.data))}.`];
  const results: Hw1Results = { model: summary(model, flags), data: sources, seed, ...findings, timings };
  signal.throwIfAborted();
  written.push(...(await report(out, results)));
  await writeOut(written.map((path) => `${path}\n`).join(""));
}

async function all(setting: Setting, timed: Timed): Promise<Findings> {
  checkHalves(setting.data);
  const { samples } = await sample(setting, timed);
  const { likelihood: likelihoods } = await likelihood(setting, timed);
  const classification = await timed("classify", () => runClassification(setting, likelihoods));
  const courseFiles = setting.courseFiles ? await courseFilesOf(setting, likelihoods, classification) : undefined;
  const scaled = await temperature(setting, timed);
  await timed("written", () => printWritten(setting.seed, setting.signal));
  const allSamples = [...samples, ...scaled.samples];
  return { samples: allSamples, likelihood: likelihoods, classification, courseFiles, costs: scaled.costs };
}

async function courseFilesOf(
  setting: Setting,
  likelihoods: LikelihoodResults,
  classification: ClassificationResults,
): Promise<string[]> {
  const { writeCourseFiles } = await import("../course/files.ts"); // slow to load: it draws
  return writeCourseFiles(setting, likelihoods, classification);
}

async function sample(setting: Setting, timed: Timed) {
  return { samples: [await timed("sample", () => runSampling(setting, plainSamples))] };
}

async function likelihood(setting: Setting, timed: Timed) {
  const found = await timed("likelihood", () => runLikelihoods(setting));
  await writeLikelihoods(setting, found);
  return { likelihood: found };
}

async function classify(setting: Setting, timed: Timed) {
  checkHalves(setting.data);
  const likelihoods = await timed("likelihood", () => runLikelihoods(setting));
  return { classification: await timed("classify", () => runClassification(setting, likelihoods)) };
}

async function temperature(setting: Setting, timed: Timed) {
  const plan = setting.courseFiles ? courseHorizon2Samples : horizon2Samples;
  const horizon1 = await timed("temperature, horizon 1", () => runSampling(setting, temperatureSamples));
  const horizon2 = await timed("temperature, horizon 2", () => runSampling(setting, plan));
  const costs = await timed("costs of horizon 2", () => costsOf(setting, horizon2));
  return { samples: [horizon1, horizon2], costs };
}

/** Measured on the first sample: on its first half context of tokens, or on all of it if it has fewer. */
function costsOf({ model, signal }: Setting, { topK, temperature, samples }: SampleRun): Promise<HorizonCosts> {
  const { prompt, ids } = samples[0]!;
  const tokens = [...model.tokenizer.encode(prompt), ...ids];
  const prefix = tokens.slice(0, Math.max(1, Math.floor(model.config.nPositions / 2)));
  return measureHorizonCosts(model, prefix, { topK, temperature, signal });
}

async function report(out: string, results: Hw1Results): Promise<string[]> {
  const { writeReport } = await import("../report.ts"); // slow to load, and not needed for an error
  return writeReport(out, results);
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`${folder}: the folder cannot be made (${cause.code})`, { cause });
  });
}

function summary(model: GPT2, flags: TaskFlags): ModelSummary {
  const { nPositions, vocabSize } = model.config;
  const parameters = parameterCount(model.config);
  const name =
    flags.model === undefined ? "the shipped model" : basename(displayModel(flags.model).replace(/\/+$/, ""));
  const device: string[] = [model.device.name];
  if (flags.dtype !== undefined) device.push(flags.dtype);
  if (flags.cacheDtype !== undefined) device.push(`${flags.cacheDtype} cache`);
  if (flags.threads !== undefined) device.push(`${flags.threads} threads`);
  return { name, parameters, nPositions, vocabSize, device: device.join(", ") };
}
