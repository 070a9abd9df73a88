import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gpt2, MAIN } from "./support/cli.ts";

let folder: string;
let text: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpt2-cli-train-"));
  text = join(folder, "text.txt");
  const lines = Array.from({ length: 300 }, (_, i) => `Line ${i} of a text, and line ${i + 1} follows it.\n`);
  await writeFile(text, lines.join(""));
});
afterAll(() => rm(folder, { recursive: true }));

const small = ["--layers", "1", "--heads", "2", "--channels", "8", "--vocab-size", "270", "--context", "16"];
const train = (out: string, ...flags: string[]): string[] => [
  ...["train", "--text", text, "--out", join(folder, out), ...small],
  ...["--batch-tokens", "32", "--threads", "1", "--eval-tokens", "64", ...flags],
];

describe.concurrent("gpt2 train", () => {
  it("prints the folder of a model, tells how it goes, and writes samples on the way", async () => {
    const { status, stdout, stderr } = await gpt2(
      train("whole", "--steps", "4", "--lr", "1e-2", "--sample-every", "2", "--sample-tokens", "5"),
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${join(folder, "whole")}\n` });
    expect(stderr).toContain("100% (13 of 13) learning a vocabulary\n");
    expect(stderr).toMatch(
      /^[\d,]+ parameters; [\d,]+ tokens to learn from, [\d,]+ held out; 4 steps of 32 tokens; about [\d.]+ kB of memory$/m,
    );
    expect(stderr).toMatch(/^after step 0: held out 5\.\d{4} \(\d\.\d{3} nats a character\), the best so far$/m);
    expect(stderr).toMatch(
      /^step 1\/4 {2}loss 5\.\d{3} {2}held out 5\.\d{3} {2}norm \d\.\d\d {2}[\d,]+ tokens\/s {2}\d+ s left$/m,
    );
    expect(stderr).toMatch(/^--- a text after step 2:$/m);
    const generated = await gpt2(["generate", "--model", join(folder, "whole"), "-p", "Line", "-n", "3"]);
    expect(generated.status).toBe(0);
    const again = await gpt2(["train", "--resume", join(folder, "whole"), "--threads", "2"]);
    expect({ status: again.status, stdout: again.stdout }).toEqual({ status: 0, stdout: `${join(folder, "whole")}\n` });
    expect(again.stderr).toContain("going on after step 4\n");
  });

  it("Ctrl-C saves, and says how to go on", async () => {
    const stopped = await gpt2(train("stopped", "--steps", "100000", "--eval-every", "100000"), {
      during: (child) => {
        let told = "";
        child.stderr.on("data", (data) => {
          told += data;
          if (told.includes("step 1/") && !child.killed) child.kill("SIGINT");
        });
      },
    });
    expect(stopped.status).toBe(130);
    const saved = Number(
      /^gpt2: step (\d+) is saved; go on with: gpt2 train --resume .*stopped$/m.exec(stopped.stderr)?.[1],
    );
    expect(saved).toBeGreaterThan(0);
    expect((await readdir(join(folder, "stopped", "training"))).sort()).toEqual([
      "log.jsonl",
      "loss.svg",
      "options.json",
      "state.safetensors",
    ]);
    const on = await gpt2(["train", "--resume", join(folder, "stopped")], {
      during: (child) =>
        child.stderr.on("data", (data) => String(data).includes("going on after") && child.kill("SIGTERM")),
    });
    expect(on.stderr).toContain(`going on after step ${saved}\n`);
    expect(on.status).toBe(143);
  });

  it("a loss that is not finite stops it: one line names the step, and how to go on from what was learned", async () => {
    const { status, stderr } = await gpt2(
      train("wild", "--steps", "4", "--eval-every", "1", "--lr", "1e30", "--min-lr", "1e30", "--warmup-steps", "0"),
    );
    expect(status).toBe(1);
    expect(stderr.split("\n").at(-2)).toMatch(
      /^gpt2: step \d: the .* is (NaN|Infinity).*; going on would end here again; begin anew, or .*: gpt2 train --model .*wild$/,
    );
    expect((await gpt2(["generate", "--model", join(folder, "wild"), "-p", "Line", "-n", "3"])).status).toBe(0);
  });

  it.skipIf(process.platform === "win32")(
    "a disk that takes no more is one line, and leaves nothing half made",
    async () => {
      const place = join(folder, "full");
      await mkdir(place);
      // A limit for files stands for a disk that is full: writing fails in the same place.
      const command = 'ulimit -f 16 && exec "$0" "$@"';
      const child = spawn("bash", ["-c", command, process.execPath, MAIN, ...train("full/model", "--steps", "2")]);
      let stderr = "";
      child.stderr.on("data", (data) => {
        stderr += data;
      });
      const [status] = await once(child, "close");
      expect(stderr.split("\n").at(-2)).toMatch(/^gpt2: .*safetensors: the file cannot be written \(EFBIG\)$/);
      expect(status).toBe(1);
      expect(await readdir(place)).toEqual([]);
    },
  );

  it.each<[string, readonly string[], string]>([
    [
      "no folder",
      ["train", "--text", "x"],
      "--out: expected the folder of the new model (or --resume, to go on with one)",
    ],
    ["no text", ["train", "--out", "x"], "--text: expected at least one file to learn from"],
    [
      "a text that is not there",
      ["train", "--text", "nowhere.txt", "--out", "x"],
      "--text: there is no file nowhere.txt",
    ],
    [
      "a number that is none",
      ["train", "--lr", "fast"],
      "option '--lr, --learning-rate <number>' argument 'fast' is invalid. expected a number",
    ],
    [
      "a rate below zero",
      ["train", "--lr", "-1", "--out", "x", "--text", "x"],
      "--learning-rate: expected a number above 0, got -1",
    ],
    ["a flag that is none", ["train", "--epochs", "3"], "unknown option '--epochs'"],
    [
      "a sample of nothing",
      ["train", "--sample-tokens", "3"],
      "--sample-tokens: has no meaning without --sample-every",
    ],
    [
      "a revision of nothing",
      ["train", "--revision", "x", "--out", "x", "--text", "x"],
      "--revision: is for a model of the Hugging Face Hub",
    ],
    [
      "other steps for a training that goes on",
      ["train", "--resume", "x", "--steps", "3"],
      "--steps: is decided when a training begins; --resume goes on with what it was then",
    ],
    [
      "both",
      ["train", "--resume", "x", "--out", "y"],
      "--out: is decided when a training begins; --resume goes on with what it was then",
    ],
    ["a folder that is not there", ["train", "--resume", "nowhere"], "gpt2: nowhere: there is no such folder\n"],
    ["a folder of no name", ["train", "--resume", ""], "gpt2: --resume: expected the path of a folder\n"],
    ["a text of no name", ["train", "--text", "", "--out", "x"], "gpt2: --text: expected the path of a file\n"],
    [
      "a last learning rate above the highest",
      ["train", "--min-lr", "1", "--out", "x", "--text", "x"],
      "--min-learning-rate: expected a number from 0 to the learning rate, 0.0003, got 1\n",
    ],
  ])("%s: one line says what is wrong", async (_, args, message) => {
    const { status, stdout, stderr } = await gpt2(args, { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^gpt2: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  it("a text shorter than the context, and one of nothing", async () => {
    const short = join(folder, "short.txt");
    await writeFile(short, "To be");
    const run = (...flags: string[]) => gpt2(["train", "--text", short, "--out", join(folder, "short"), ...flags]);
    expect((await run("--held-out", "0")).stderr.split("\n").at(-2)).toBe(
      "gpt2: --context: the text has 6 tokens to learn from; sequences of 256 need at least 257",
    );
    await writeFile(short, "");
    expect((await run()).stderr).toBe(`gpt2: --text: ${short} is empty\n`);
  });
});
