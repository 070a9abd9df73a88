import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors.ts";
import { loadCourseData } from "../../src/data.ts";

const COURSE = fileURLToPath(new URL("fixtures/course", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hw1-folder-"));
  await cp(COURSE, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a folder of the course's files", () => {
  it("gives three sets, five prompts and the texts to be labelled", async () => {
    const { random, shakespeare, papers, prompts, mixed } = await loadCourseData(folder, 1);
    expect([random, shakespeare, papers].map(({ name, texts }) => [name, texts.length])).toEqual([
      ["random", 20],
      ["shakespeare", 10],
      ["neurips", 10],
    ]);
    expect(shakespeare.texts[0]).toMatch(/^To be, or not to be/);
    expect(random.texts.every((text) => /^[a-z]{100}$/.test(text))).toBe(true);
    expect(mixed).toMatchObject({ labels: undefined });
    expect(mixed.texts).toHaveLength(30);
    expect(prompts).toHaveLength(5);
    const abstracts = await readFile(join(folder, "papers.csv"), "utf8");
    for (const prompt of prompts) {
      expect(prompt).toHaveLength(100);
      expect(abstracts).toContain(prompt);
    }
  });

  it("may hold other formats, and labels", async () => {
    await rm(join(folder, "snippets.pkl"));
    await writeFile(join(folder, "snippets.jsonl"), '{"text": "abc", "random": true}\n');
    expect((await loadCourseData(folder, 1)).mixed).toEqual({ texts: ["abc"], labels: [true] });
  });

  it("takes its papers from papers.csv if there is no neurips", async () => {
    await rm(join(folder, "neurips.pkl"));
    const { papers } = await loadCourseData(folder, 1);
    expect(papers.texts).toHaveLength(6);
    expect(papers.texts.every((text) => text.length === 100)).toBe(true);
  });

  it.each(["random.pkl", "shakespeare.pkl", "snippets.pkl", "papers.csv"])("is refused without %s", async (file) => {
    await rename(join(folder, file), join(folder, "elsewhere"));
    const [name, extension] = file.split(".");
    const wanted = extension === "csv" ? file : `${name}.{pkl,json,jsonl,txt}`;
    await expect(loadCourseData(folder, 1)).rejects.toThrow(`${folder}: there is no ${wanted}; expected random, `);
  });

  it("need only hold what is asked for", async () => {
    const whole = await loadCourseData(folder, 1);
    await rm(join(folder, "papers.csv"));
    expect(await loadCourseData(folder, 1, ["sets", "mixed"])).toEqual({ ...whole, prompts: [] });
    await rm(join(folder, "snippets.pkl"));
    expect((await loadCourseData(folder, 1, ["sets"])).papers).toEqual(whole.papers);
    await rm(join(folder, "neurips.pkl"));
    await expect(loadCourseData(folder, 1, ["sets"])).rejects.toThrow(`${folder}: there is no papers.csv; expected`);
    await cp(join(COURSE, "papers.csv"), join(folder, "papers.csv"));
    for (const name of ["random.pkl", "shakespeare.pkl"]) await rm(join(folder, name));
    expect(await loadCourseData(folder, 1, ["prompts"])).toMatchObject({
      prompts: whole.prompts,
      random: { texts: [] },
      mixed: { texts: [] },
    });
  });

  it("has no other parts", async () => {
    await expect(loadCourseData(folder, 1, ["papers" as never])).rejects.toThrow(
      "parts: expected sets, prompts, mixed, got papers",
    );
  });

  it("is refused if two files could be meant", async () => {
    await writeFile(join(folder, "random.txt"), "abc");
    await expect(loadCourseData(folder, 1)).rejects.toThrow(
      "there are random.pkl and random.txt: expected one of them",
    );
  });

  it("is refused if a file is broken, by its name", async () => {
    const pickle = await readFile(join(folder, "random.pkl"));
    await writeFile(join(folder, "random.pkl"), pickle.subarray(0, 500));
    await expect(loadCourseData(folder, 1)).rejects.toThrow(/random\.pkl: BINUNICODE at byte \d+: it needs 100 bytes/);
  });

  it("is refused if an abstract to continue is empty", async () => {
    await writeFile(join(folder, "papers.csv"), "Title,Abstract,PaperText\nOn it,,text\n");
    await expect(loadCourseData(folder, 1)).rejects.toThrow('papers.csv: paper "On it": its abstract is empty');
  });

  it("is refused if it is not there, or no folder", async () => {
    const nowhere = join(folder, "nowhere");
    await expect(loadCourseData(nowhere, 1)).rejects.toThrow(`${nowhere}: there is no such folder`);
    await expect(loadCourseData(join(folder, "random.pkl"), 1)).rejects.toThrow(/not a folder that can be read/);
    await expect(loadCourseData(nowhere, 1)).rejects.toThrow(DataError);
  });
});
