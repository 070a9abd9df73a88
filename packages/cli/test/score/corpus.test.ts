import { execFileSync } from "node:child_process";
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runCommand } from "../../src/run-command.ts";
import { gpt2 } from "../support/cli.ts";
import { signalWhen } from "../support/signal-when.ts";

/** Lines with ids, some blank, some of no token, some long. */
const LINES = Array.from({ length: 60 }, (_, i) => {
  if (i % 17 === 5) return "";
  return JSON.stringify({
    id: `${i}`,
    text: i % 13 === 3 ? "" : `Line ${i}: ${"to be, or not to be; ".repeat(i % 9)}`,
  });
});
const INPUT = LINES.map((line) => `${line}\n`).join("");
const ANSWERS = LINES.filter((line) => line !== "").length;

let room: string;
/** What one run writes. */
let reference: string;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), "gpt2-corpus-"));
  await write("in.jsonl", INPUT);
  expect(await score("in.jsonl -o whole.jsonl")).toMatchObject({ status: 0 });
  reference = await read("whole.jsonl");
});
afterAll(() => rm(room, { recursive: true }));

const read = (name: string): Promise<string> => readFile(join(room, name), "utf8");
const write = (name: string, data: string | Uint8Array): Promise<void> => writeFile(join(room, name), data);
const recordOf = async (name: string) => JSON.parse(await read(`${name}.run.json`));

/** The arguments that a line gives; files are in the room. */
function argumentsOf(line: string): string[] {
  const args = line.split(" ").map((arg) => (/jsonl|folder/.test(arg) ? join(room, arg) : arg));
  return ["score", "--threads", "1", ...args];
}

/** Runs `gpt2 score` in this process, from files to files. */
async function score(line: string): Promise<{ status: number; stderr: string }> {
  let stderr = "";
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += text;
    return true;
  });
  try {
    const status = await runCommand(argumentsOf(line));
    return { status, stderr: stderr.replaceAll(`${room}/`, "") };
  } finally {
    spy.mockRestore();
  }
}

/** Leaves an output as a run leaves it that was killed after some lines, in the middle of another. */
async function makeUnfinished(name: string, lines = 31, args = ""): Promise<void> {
  await write(`part-of-${name}`, `${LINES.slice(0, lines).join("\n")}\n`);
  expect((await score(`part-of-${name} -o ${name}${args}`)).status).toBe(0);
  await appendFile(join(room, name), '{"id":"half a li');
}

describe("gpt2 score of a file", () => {
  it("writes to a file what it writes to standard output, and tells how fast", async () => {
    const piped = await gpt2(["score", "--threads", "1"], { input: INPUT });
    expect(piped).toMatchObject({ status: 0, stderr: "", stdout: reference });
    const { status, stderr } = await score("in.jsonl -o again.jsonl");
    expect(status).toBe(0);
    expect(stderr).toMatch(/100% \(.*\) [\d,]+ tokens\/s, 0 s left\n/);
    expect(stderr).toMatch(new RegExp(`^${ANSWERS} lines, [\\d,]+ tokens; .* tokens/s\n$`, "m"));
    expect(await read("again.jsonl")).toBe(reference);
    expect(await recordOf("again.jsonl")).toMatchObject({
      complete: true,
      position: { lines: ANSWERS, inputLines: 60 },
    });
  });

  it("with several jobs writes the same bits in the same order, up to a line that is wrong", async () => {
    const { status, stdout, stderr } = await gpt2(["score", "--jobs", "3"], { input: `${INPUT}{"text":5}\n${INPUT}` });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'gpt2: line 61: "text" is not a string\n' });
    expect(stdout).toBe(reference);
  });

  it("writes the fields that are asked for, in that order", async () => {
    await write("few.jsonl", '{"n":1,"text":"caf\\u00e9","tokens":[]}\n{"ids":[1,2]}\n');
    await score("few.jsonl -o fields.jsonl --fields perplexity,text,ids --result-key r");
    const [first, second] = (await read("fields.jsonl")).split("\n");
    expect(first).toMatch(/^\{"n":1,"tokens":\[\],"r":\{"perplexity":[\d.]+,"text":"caf\\u00e9","ids":\[[\d,]+\]\}\}$/);
    expect(Object.keys(JSON.parse(second!).r)).toEqual(["perplexity", "ids"]);
  });

  it("reads gzip and writes gzip", async () => {
    const packed = Buffer.concat([zlib.gzipSync(INPUT.slice(0, 1000)), zlib.gzipSync(INPUT.slice(1000))]);
    expect((await gpt2(["score", "--threads", "1"], { input: packed })).stdout).toBe(reference);
    await write("in.jsonl.gz", packed);
    expect((await score("in.jsonl.gz -o out.jsonl.gz")).status).toBe(0);
    expect(zlib.gunzipSync(await readFile(join(room, "out.jsonl.gz"))).toString()).toBe(reference);
    await write("cut.jsonl.gz", packed.subarray(0, -3));
    expect(await score("cut.jsonl.gz -o cut.jsonl")).toEqual({
      ...{ status: 1, stderr: expect.stringMatching(/^gpt2: cut\.jsonl\.gz: unexpected end of file\n$/m) },
    });
  });

  it("reads and writes zstd where Node has it, and else says so", async () => {
    const { status, stderr } = await score("in.jsonl -o out.jsonl.zst");
    if (!("zstdDecompressSync" in zlib)) {
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/^gpt2: zstd needs Node 22.15, .*\n$/),
      });
      return;
    }
    expect(status).toBe(0);
    const zstd = zlib as unknown as Record<string, (data: string | Uint8Array) => Buffer>;
    expect(zstd["zstdDecompressSync"]!(await readFile(join(room, "out.jsonl.zst"))).toString()).toBe(reference);
    await write("in.jsonl.zst", zstd["zstdCompressSync"]!(INPUT));
    expect((await score("in.jsonl.zst -o from-zstd.jsonl")).status).toBe(0);
    expect(await read("from-zstd.jsonl")).toBe(reference);
  });

  it.each([
    ["in.jsonl --resume", "--resume: has no meaning without --out"],
    ["in.jsonl --jobs 0", "--jobs: expected an integer from 1 to 256, got 0"],
    ["in.jsonl --jobs 2 --profile", "--profile: has no meaning with several --jobs"],
    ["in.jsonl --jobs 2 --device gpu", "--jobs: expected 1 with the gpu device"],
    ["in.jsonl --fields ids,ids", "--fields: ids is there twice"],
    ["missing.jsonl", "missing.jsonl: the file cannot be read (ENOENT)"],
    ["in.jsonl -o no/such/folder/out.jsonl", "no/such/folder/out.jsonl: it cannot be written"],
    ["in.jsonl -o no/../in.jsonl", "in.jsonl: it is there already; go on with it by --resume, or remove it"],
    ["in.jsonl -o /dev/null", "/dev/null: it is no file; for a pipe or a device leave out --out"],
  ])("%s is refused on one line", async (args, message) => {
    if (args.includes("/dev/") && process.platform === "win32") return;
    const { status, stderr } = await score(args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr.split("\n")).toHaveLength(2);
  });
});

describe("gpt2 score --resume", () => {
  it("goes on after what is whole, and makes what one run makes", async () => {
    await makeUnfinished("torn.jsonl");
    const { status, stderr } = await score("in.jsonl -o torn.jsonl --resume");
    expect(status).toBe(0);
    expect(stderr).toMatch(/^going on after 29 lines\n/);
    expect(await read("torn.jsonl")).toBe(reference);
    expect(await recordOf("torn.jsonl")).toMatchObject({ complete: true, position: { lines: ANSWERS } });
    expect((await score("in.jsonl -o torn.jsonl --resume")).status).toBe(0);
    expect(await read("torn.jsonl")).toBe(reference);
  });

  it("starts where there is nothing, and where a run was killed before its first note", async () => {
    expect((await score("in.jsonl -o new.jsonl --resume")).status).toBe(0);
    expect(await read("new.jsonl")).toBe(reference);
    await write("empty.jsonl", "");
    await score("empty.jsonl -o unnoted.jsonl --top 1");
    await appendFile(join(room, "unnoted.jsonl"), '{"id":"0"');
    expect((await score("in.jsonl -o unnoted.jsonl --resume")).status).toBe(0);
    expect(await read("unnoted.jsonl")).toBe(reference);
  });

  it("goes on with gzip, to the same lines", async () => {
    await makeUnfinished("torn.jsonl.gz");
    expect((await score("in.jsonl -o torn.jsonl.gz --resume")).status).toBe(0);
    expect(zlib.gunzipSync(await readFile(join(room, "torn.jsonl.gz"))).toString()).toBe(reference);
  });

  it("remembers lines that could not be scored", async () => {
    await write("wrong.jsonl", `${LINES.slice(0, 10).join("\n")}\nwrong\n`);
    for (let run = 0; run < 2; run++) {
      const { status, stderr } = await score("wrong.jsonl -o failed.jsonl --resume --on-error report");
      expect(status).toBe(1);
      expect(stderr).toMatch(/^gpt2: 1 of 10 lines could not be scored\n$/m);
    }
  });

  it("goes on after a line that stopped it, once that is mended", async () => {
    await write("wrong.jsonl", INPUT.replace('"Line 40:', "Line 40:"));
    const first = await score("wrong.jsonl -o mended.jsonl");
    expect(first.status).toBe(1);
    expect(first.stderr).toContain("gpt2: line 41: it is not JSON");
    const second = await score("in.jsonl -o mended.jsonl --resume");
    expect(second.status).toBe(0);
    expect(second.stderr).toMatch(/^going on after 37 lines\n/);
    expect(await read("mended.jsonl")).toBe(reference);
  });

  it("refuses what the same command has not made, and leaves it as it is", async () => {
    await makeUnfinished("other.jsonl");
    const left = await read("other.jsonl");
    const refused = async (args = "", input = "in.jsonl"): Promise<string> => {
      const { status, stderr } = await score(`${input} -o other.jsonl --resume${args}`);
      expect(status, stderr).toBe(1);
      return stderr.split("\n").at(-2)!;
    };
    const because = "gpt2: other.jsonl: it cannot be gone on with: ";
    expect(await refused(" --fields ids")).toContain(`${because}it was made with another --fields: ["ids",`);
    expect(await refused(" --stride 5")).toBe(`${because}it was made with another --stride: null, now 5`);
    expect(await refused(" --special-tokens")).toBe(
      `${because}it was made with another --special-tokens: false, now true`,
    );
    expect(await refused(" --dtype int8")).toContain(`${because}another model made it, or another --dtype`);
    for (const input of [INPUT.replace("Line 7", "Line 8"), INPUT.slice(0, 300), ""]) {
      await write("another.jsonl", input);
      expect(await refused("", "another.jsonl")).toBe(
        "gpt2: the output cannot be gone on with: its first 31 lines of input are not the input's (any more)",
      );
    }
    await write("other.jsonl", left.replace('"id"', '"Id"'));
    expect(await refused()).toBe(`${because}it was changed`);
    await write("other.jsonl", left.slice(0, 100));
    expect(await refused()).toMatch(/it has \d+ bytes, and had \d+$/);
    await rm(join(room, "other.jsonl"));
    expect(await refused()).toContain(because);
    await write("other.jsonl", left);
    await write("other.jsonl.run.json", "{}");
    expect(await refused()).toContain("other.jsonl.run.json: it is no record of this version of gpt2 score");
    await rm(join(room, "other.jsonl.run.json"));
    expect(await refused()).toContain(`${because}there is no other.jsonl.run.json`);
    expect(await read("other.jsonl")).toBe(left);
  });

  it("goes on after Ctrl-C, which says so", async () => {
    const { status, stderr } = await gpt2(["score", "--threads", "1", "-o", join(room, "stopped.jsonl")], {
      input: "open",
      during: (child) => {
        child.stdin.write(`${LINES.slice(0, 20).join("\n")}\n`);
        signalWhen(child, "SIGINT", async () => (await read("stopped.jsonl").catch(() => "")) !== "");
      },
    });
    expect(status).toBe(130);
    expect(stderr).toMatch(/^gpt2: interrupted after 19 lines; the same command with --resume goes on\n$/m);
    expect((await readdir(room)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect((await score("in.jsonl -o stopped.jsonl --resume")).status).toBe(0);
    expect(await read("stopped.jsonl")).toBe(reference);
  });

  it("goes on after the disk was full, once there is room", async ({ skip }) => {
    const disk = await mkdtemp(join(room, "folder-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=24k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      skip("only root can mount a small disk, on Linux");
    }
    const out = join(basename(disk), "out.jsonl");
    try {
      const { status, stderr } = await score(`in.jsonl -o ${out}`);
      expect(status).toBe(1);
      expect(stderr).toContain(
        `gpt2: ${out}: there is no room (ENOSPC); what it holds is kept: make room, and go on with --resume\n`,
      );
      execFileSync("mount", ["-o", "remount,size=10m", disk]);
      expect(await score(`in.jsonl -o ${out} --resume`)).toMatchObject({ status: 0 });
      expect(await read(out)).toBe(reference);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});
