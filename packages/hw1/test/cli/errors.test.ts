import { existsSync } from "node:fs";
import { copyFile, cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hw1 } from "../support/cli.ts";

const FIXTURES = fileURLToPath(new URL("../data/fixtures", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hw1-errors-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The one line on standard error that a wrong use is answered with; anything else fails the test. */
async function refusal(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await hw1(args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^hw1: [^\n]+\n$/);
  return stderr.slice("hw1: ".length, -1);
}

/** A copy of the course's folder. */
async function course(name: string): Promise<string> {
  const copy = join(folder, name);
  await cp(join(FIXTURES, "course"), copy, { recursive: true });
  return copy;
}

const likelihood = (...args: string[]): Promise<string> => refusal("likelihood", "--out", join(folder, "out"), ...args);

describe.concurrent("hw1 answers with one line on standard error and status 1", () => {
  it("an option or a command that does not exist", async () => {
    expect(await refusal("sample", "--tempreature", "1")).toBe("unknown option '--tempreature'");
    expect(await refusal("samples")).toBe("unknown command 'samples' (Did you mean sample?)");
  });

  it("something that top-k cannot do, or an option of another task", async () => {
    expect(await refusal("all", "--horizon2-top-k", "first")).toBe(
      "option '--horizon2-top-k <of>' argument 'first' is invalid. Allowed choices are pairs, second.",
    );
    expect(await refusal("sample", "--course-files")).toBe("unknown option '--course-files'");
  });

  it("a number that is none, or out of range", async () => {
    expect(await likelihood("--seed", "one")).toContain("expected an integer");
    expect(await likelihood("--seed", "-1")).toBe("--seed: expected an integer from 0 to 9007199254739991, got -1");
    expect(await likelihood("--length", "0")).toBe("--length: expected an integer from 1, got 0");
    expect(await refusal("written", "--seed", "-1")).toBe(
      "--seed: expected an integer from 0 to 9007199254739991, got -1",
    );
  });

  it("a model that is not there", async () => {
    const nowhere = join(folder, "nowhere");
    expect(await likelihood("--model", nowhere)).toBe(`${nowhere}: there is no such folder`);
  });

  it("too few texts to choose a threshold from some and test it on others", async () => {
    const few = await course("few");
    await rm(join(few, "random.pkl"));
    await writeFile(join(few, "random.txt"), "xqzjv\n");
    for (const task of ["classify", "all"]) {
      expect(await refusal(task, "--data", few, "--out", join(folder, "out"))).toBe(
        "classification: expected at least two texts, one to choose the threshold and one to test it; " +
          'the set "random" has 1',
      );
    }
  });

  it("a folder of data that is not there, or without the files", async () => {
    const nowhere = join(folder, "nowhere");
    expect(await likelihood("--data", nowhere)).toBe(`${nowhere}: there is no such folder`);
    const incomplete = await course("incomplete");
    await rm(join(incomplete, "random.pkl"));
    expect(await likelihood("--data", incomplete)).toBe(
      `${incomplete}: there is no random.{pkl,json,jsonl,txt}; expected random, shakespeare, neurips and snippets as ` +
        ".pkl, .json, .jsonl or .txt, and papers.csv",
    );
  });

  it("a pickle that is cut off, and one that is empty", async () => {
    const broken = await course("broken");
    await writeFile(join(broken, "shakespeare.pkl"), Uint8Array.of(0x80, 4, 0x95));
    expect(await likelihood("--data", broken)).toBe(
      `${join(broken, "shakespeare.pkl")}: FRAME at byte 2: it needs 8 bytes, and 0 are left`,
    );
    await writeFile(join(broken, "shakespeare.pkl"), "");
    expect(await likelihood("--data", broken)).toBe(`${join(broken, "shakespeare.pkl")}: the file is empty`);
  });

  it("a pickle that would run a command, which is not run", async () => {
    const hostile = await course("hostile");
    await copyFile(join(FIXTURES, "runs.4.pkl"), join(hostile, "random.pkl"));
    expect(await likelihood("--data", hostile)).toBe(
      `${join(hostile, "random.pkl")}: STACK_GLOBAL at byte 32: it names posix.system: only plain data is read, and nothing is ever run`,
    );
    expect(existsSync("ran-4")).toBe(false);
  });

  it("an output folder that is a file", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    expect(await refusal("sample", "--out", file)).toBe(`${file}: the folder cannot be made (EEXIST)`);
  });
});

describe("hw1", () => {
  it("without a command shows what there is", async () => {
    const { status, stdout, stderr } = await hw1([]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    for (const command of ["all", "sample", "likelihood", "classify", "temperature", "written"]) {
      expect(stderr).toMatch(new RegExp(`^ {2}${command} `, "m"));
    }
  });

  it("stops on Ctrl-C with status 130, and leaves no part of a file", async () => {
    const out = join(folder, "interrupted");
    const { status, stdout, stderr } = await hw1(["sample", "--out", out], (child) =>
      child.stderr.once("data", () => child.kill("SIGINT")),
    );
    expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
    expect(stderr).toMatch(/samples\.txt, tokens/);
    expect(await readdir(out)).toEqual([]);
  });
});
