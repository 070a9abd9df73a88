import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pickleFloatArray } from "../../src/course/pickle.ts";
import type { CourseData } from "../../src/data/course-data.ts";
import { readPickle } from "../../src/data/pickle.ts";
import { loadCourseData } from "../../src/data.ts";
import { logLikelihoods } from "../../src/likelihood.ts";
import { type SampleOptions, sample } from "../../src/sample.ts";
import { writtenProblems } from "../../src/written/index.ts";
import { hw1, type Run } from "../support/cli.ts";
import { writeTinyModel } from "../support/models.ts";

const COURSE = fileURLToPath(new URL("../data/fixtures/course", import.meta.url));
const SEED = 5;
const LENGTH = 8;

let folder: string;
let model: GPT2;
let data: CourseData;
const runs: Run[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hw1-all-"));
  await writeTinyModel(join(folder, "tiny"));
  const args = ["all", "--model", join(folder, "tiny"), "--seed", String(SEED), "--length", String(LENGTH)];
  for (const threads of [1, 2]) {
    runs.push(await hw1([...args, "--threads", String(threads), "--out", join(folder, `out-${threads}`)]));
  }
  model = await GPT2.load(join(folder, "tiny"));
  data = await loadCourseData(undefined, SEED);
}, 240_000);
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true, force: true });
});

const out = (file: string, threads = 1): string => join(folder, `out-${threads}`, file);
const text = (file: string, threads?: number): Promise<string> => readFile(out(file, threads), "utf8");

const RAW_FILES = ["likelihood_random.txt", "likelihood_shakespeare.txt", "likelihood_papers.txt"] as const;
const SAMPLE_FILES = {
  "samples.txt": { temperature: 1, horizon: 1 },
  "samples_temperature0-95.txt": { temperature: 0.95, horizon: 1 },
  "samples_temperature0-95_horizon2.txt": { temperature: 0.95, horizon: 2 },
} as const;
const FIGURES = ["random", "shakespeare", "papers", "joint", "tokens"]
  .map((name) => `likelihood-${name}`)
  .concat("roc");
const FIGURE_FILES = FIGURES.flatMap((name) =>
  ["", "-dark"].flatMap((theme) => [`figures/${name}${theme}.svg`, `figures/${name}${theme}.png`]),
);
const FILES = [...Object.keys(SAMPLE_FILES), ...RAW_FILES, "classification.jsonl", ...FIGURE_FILES, "report.md"];

async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

describe("hw1 all, on a tiny model", () => {
  it("writes every file, nothing else, and prints their names", async () => {
    for (const [i, { status, stdout, stderr }] of runs.entries()) {
      expect({ status, stderr }).toMatchObject({ status: 0 });
      const root = join(folder, `out-${i + 1}`);
      expect((await filesUnder(root)).sort()).toEqual([...FILES].sort());
      const printed = stdout.split("\n").filter((line) => line.startsWith(root));
      expect(printed.map((path) => relative(root, path)).sort()).toEqual([...FILES].sort());
    }
  });

  it("prints the written problems, all of which hold", () => {
    for (const { id, title } of writtenProblems) expect(runs[0]!.stdout).toContain(`${id} ${title}\n`);
    expect(runs[0]!.stdout).not.toContain("✗");
  });

  it.each(Object.entries(SAMPLE_FILES))("writes to %s what the library samples", async (file, options) => {
    const line = "=".repeat(50);
    let expected = "";
    for (const [i, prompt] of data.prompts.entries()) {
      const all: SampleOptions = { ...options, length: LENGTH, topK: 40, seed: SEED + i };
      const { continuation, ids } = await sample(model, prompt, all);
      expect(ids).toHaveLength(LENGTH);
      expected += `${line} SAMPLE_${i} ${line}\n${prompt}${continuation}\n`;
    }
    expect(await text(file)).toBe(expected);
  });

  it("writes the likelihood of each text, to the last digit", async () => {
    for (const [i, set] of [data.random, data.shakespeare, data.papers].entries()) {
      const values = (await text(RAW_FILES[i]!)).trimEnd().split("\n").map(Number);
      expect(values).toEqual(await logLikelihoods(model, set.texts));
    }
  });

  it("writes a label for each of the mixed texts, by one threshold", async () => {
    const lines = (await text("classification.jsonl")).trimEnd().split("\n");
    const entries = lines.map(
      (line) => JSON.parse(line) as { text: string; random: boolean; logLikelihoodPerCharacter: number },
    );
    expect(entries.map((entry) => entry.text)).toEqual(data.mixed.texts);
    const scores = (random: boolean): number[] =>
      entries.filter((entry) => entry.random === random).map((entry) => entry.logLikelihoodPerCharacter);
    expect(Math.max(...scores(true))).toBeLessThan(Math.min(...scores(false)));
  });

  it("draws the figures, and shows all of them and every file in the report", async () => {
    const report = await text("report.md");
    for (const file of FIGURE_FILES) {
      const bytes = await readFile(out(file));
      if (file.endsWith(".png")) expect(bytes.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
      else expect(bytes.toString()).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
    }
    for (const file of [...Object.keys(SAMPLE_FILES), ...RAW_FILES, "classification.jsonl"]) {
      expect(report).toContain(`(${file})`);
    }
    for (const name of FIGURES) expect(report).toContain(`figures/${name}.`);
    expect(report).toMatch(/\| accuracy \| \d+\.\d % \|/);
    expect(report).toContain(`| seed | ${SEED} |`);
  });

  it("gives the same results on one thread and on two", async () => {
    for (const file of FILES) {
      if (file === "report.md") continue; // it tells times
      expect((await readFile(out(file, 2))).equals(await readFile(out(file))), file).toBe(true);
    }
  });
});

describe("hw1 all --course-files", () => {
  const COURSE_FILES = ["random", "shakespeare", "neurips"]
    .flatMap((name) => [`${name}_raw.pkl`, `${name}.png`])
    .concat("classification.pkl");
  let stdout: string;
  beforeAll(async () => {
    const args = ["--model", join(folder, "tiny"), "--seed", String(SEED), "--length", String(LENGTH)];
    const course = ["--course-files", "--horizon2-top-k", "second"];
    const run = await hw1(["all", ...args, ...course, "--out", join(folder, "out-course")]);
    expect(run).toMatchObject({ status: 0 });
    stdout = run.stdout;
  });

  const bytes = (file: string): Promise<Buffer> => readFile(join(folder, "out-course", file));

  it("writes the course's files beside the others, and names them on standard output and in the report", async () => {
    const files = await filesUnder(join(folder, "out-course"));
    expect(files.sort()).toEqual([...FILES, ...COURSE_FILES].sort());
    const report = (await bytes("report.md")).toString();
    for (const file of COURSE_FILES) {
      expect(stdout).toContain(`${join(folder, "out-course", file)}\n`);
      expect(report).toContain(`(${file})`);
    }
  });

  it("puts into them the numbers and labels of the text files", async () => {
    for (const [i, name] of ["random", "shakespeare", "neurips"].entries()) {
      const numbers = (await bytes(RAW_FILES[i]!)).toString().trimEnd().split("\n").map(Number);
      expect((await bytes(`${name}_raw.pkl`)).equals(pickleFloatArray(numbers))).toBe(true);
      expect((await bytes(`${name}.png`)).subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    }
    const lines = (await bytes("classification.jsonl")).toString().trimEnd().split("\n");
    const labels = lines.map((line) => (JSON.parse(line) as { random: boolean }).random);
    expect(readPickle(await bytes("classification.pkl"))).toEqual(labels);
  });

  it("makes one sample of 100 tokens for 6.7b, with top-k of the second token where that is asked for", async () => {
    const prompt = data.prompts[0]!;
    const options = {
      temperature: 0.95,
      horizon: 2,
      horizon2TopK: "second",
      length: 100,
      topK: 40,
      seed: SEED,
    } as const;
    const { continuation } = await sample(model, prompt, options);
    const line = "=".repeat(50);
    const file = (await bytes("samples_temperature0-95_horizon2.txt")).toString();
    expect(file).toBe(`${line} SAMPLE_0 ${line}\n${prompt}${continuation}\n`);
    expect(continuation).not.toBe((await sample(model, prompt, { ...options, horizon2TopK: "pairs" })).continuation);
    expect((await bytes("report.md")).toString()).toContain("| 40, of the second token too | 1 |");
  });
});

describe("a single task", () => {
  it("does not ask for files that it does not read", async () => {
    const course = join(folder, "course-without");
    await cp(COURSE, course, { recursive: true });
    await rm(join(course, "papers.csv"));
    const args = ["--model", join(folder, "tiny"), "--data", course, "--length", "3"];
    for (const task of ["likelihood", "classify"]) {
      expect(await hw1([task, ...args, "--out", join(folder, "without", task)])).toMatchObject({ status: 0 });
    }
    const { status, stderr } = await hw1(["sample", ...args, "--out", join(folder, "without", "sample")]);
    expect(status).toBe(1);
    expect(stderr).toContain("there is no papers.csv");
    await cp(join(COURSE, "papers.csv"), join(folder, "only-papers", "papers.csv"));
    const only = ["--model", join(folder, "tiny"), "--data", join(folder, "only-papers"), "--length", "3"];
    expect(await hw1(["sample", ...only, "--out", join(folder, "without", "only")])).toMatchObject({ status: 0 });
  });

  it.each([
    ["sample", ["samples.txt", "report.md"]],
    ["temperature", ["samples_temperature0-95.txt", "samples_temperature0-95_horizon2.txt", "report.md"]],
    ["classify", ["classification.jsonl", ...FIGURE_FILES.filter((file) => file.includes("roc")), "report.md"]],
  ])("%s writes its own files, from a folder in the course's formats", async (task, files) => {
    const args = ["--model", join(folder, "tiny"), "--data", COURSE, "--length", "3", "--out", join(folder, task)];
    const { status, stderr } = await hw1([task, ...args]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect((await filesUnder(join(folder, task))).sort()).toEqual([...files].sort());
  });

  it("likelihood reads the pickles that Python wrote", async () => {
    const { status } = await hw1(["likelihood", "--data", COURSE, "--out", join(folder, "course")]);
    expect(status).toBe(0);
    const median = async (name: string): Promise<number> => {
      const values = (await readFile(join(folder, "course", `likelihood_${name}.txt`), "utf8")).trimEnd().split("\n");
      return values.map(Number).sort((a, b) => a - b)[values.length >> 1]!;
    };
    expect(await median("random")).toBeLessThan((await median("neurips")) - 100);
    expect(await median("random")).toBeLessThan((await median("shakespeare")) - 100);
  });

  it("written needs no model, and has a seed", async () => {
    const { status, stdout } = await hw1(["written", "--seed", "3"]);
    expect(status).toBe(0);
    for (const { id, title } of writtenProblems) expect(stdout).toContain(`${id} ${title}\n`);
  });
});
