import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { describeSettings, withSetting } from "../src/run/settings.ts";
import { gpt2, MAIN } from "./support/cli.ts";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
});
afterAll(() => model.dispose());

const options = { maxTokens: 12, temperature: 0.8 };
const run = (lines: readonly string[], ...flags: string[]) =>
  gpt2(["run", "-n", "12", "--temperature", "0.8", ...flags], { input: lines.map((line) => `${line}\n`).join("") });

/** What the model writes after these pieces of text, which are tokenized one by one. */
async function after(pieces: readonly string[], seed: number, more: object = {}): Promise<string> {
  const ids = pieces.flatMap((piece) => model.tokenizer.encode(piece));
  return (await model.generate(ids, { ...options, ...more, seed })).text;
}

describe.concurrent("gpt2 run, from a pipe", () => {
  it("lets the model go on after each line, in one text; an empty line adds nothing", async () => {
    const { status, stdout, stderr } = await run(["To be", "", "Who is there?"], "--seed", "3");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const first = await after(["To be"], 3);
    const second = await after(["To be", first], 4);
    const line = second.endsWith("\n") ? "Who is there?" : "\nWho is there?";
    const third = await after(["To be", first, second, line], 5);
    expect(stdout).toBe([first, second, third].map((text) => text.replace(/\n?$/, "\n")).join(""));
  });

  it("changes settings, begins anew, and leaves", async () => {
    const lines = ["To be", "/reset", "/max-tokens 5", '/stop "\\n"', "/logit-bias 5=-100", "/seed 3", "/settings"];
    const { status, stdout, stderr } = await run([...lines, "//To be", "/quit", "To be"], "--seed", "9");
    const more = { maxTokens: 5, stop: "\n", logitBias: { 5: -100 } };
    const second = await after(["/To be"], 3, more);
    expect(status).toBe(0);
    expect(stdout).toBe(`${(await after(["To be"], 9)).replace(/\n?$/, "\n")}${second}\n`);
    expect(stderr).toBe('/max-tokens 5\n/temperature 0.8\n/logit-bias 5=-100\n/seed 3\n/stop "\\n"\n');
  });

  it("makes room in the context, and goes on", async () => {
    const { status, stdout } = await run(["word ".repeat(300), "and"], "--seed", "1", "-n", "200");
    expect(status).toBe(0);
    const recent = model.tokenizer.encode("word ".repeat(300)).slice(-128);
    const { text } = await model.generate(recent, { temperature: 0.8, seed: 1, maxTokens: 200 });
    expect(stdout.startsWith(text)).toBe(true);
    expect(stdout.length).toBeGreaterThan(text.length + 50);
  });

  it("ends at a line that it cannot use", async () => {
    const { status, stdout, stderr } = await run(["/help", "", "/reset all", "To be"], "-n", "1");
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(/^[^\n]*\n+$/) });
    expect(stderr).toMatch(
      /^A line is appended[\s\S]*\/top-k <count> [\s\S]*\ngpt2: line 3: \/reset: takes no value, got "all"\n$/,
    );
  });

  it("says which line is no text", async () => {
    const { status, stderr } = await gpt2(["run"], { input: Uint8Array.of(0x0a, 0xff) });
    expect({ status, stderr }).toEqual({ status: 1, stderr: "gpt2: line 2 is not UTF-8 text (at byte 0)\n" });
  });

  it("stops a continuation on Ctrl-C and goes on with what it has; a second one leaves with status 130", async () => {
    const args = ["run", "-n", "250", "--greedy", "--device", "reference"];
    const { status, stdout, stderr } = await gpt2(args, {
      input: "open",
      during: (child) => {
        child.stdin.write("To be\n");
        child.stdout.once("data", () => {
          child.kill("SIGINT");
          child.stdin.write("/settings\n"); // answered once the continuation has ended
        });
        child.stderr.once("data", () => child.kill("SIGINT"));
      },
    });
    expect({ status, stderr }).toEqual({ status: 130, stderr: "/max-tokens 250\n/greedy on\n" });
    const text = await after(["To be"], 0, { temperature: 0, maxTokens: 250 });
    expect(stdout.endsWith("\n")).toBe(true);
    expect(text.startsWith(stdout.slice(0, -1))).toBe(true);
    expect(stdout.length).toBeLessThan(text.length);
  });

  it("ends on SIGTERM with status 143, and quietly when nobody reads its output", async () => {
    const args = ["run", "-n", "250", "--device", "reference"];
    const during =
      (end: (child: ChildProcessWithoutNullStreams) => void) => (child: ChildProcessWithoutNullStreams) => {
        child.stdin.write("To be\n");
        child.stdout.once("data", () => end(child));
      };
    const [terminated, closed] = await Promise.all([
      gpt2(args, { input: "open", during: during((child) => child.kill("SIGTERM")) }),
      gpt2(args, { input: "open", during: during((child) => child.stdout.destroy()) }),
    ]);
    expect({ status: terminated.status, stderr: terminated.stderr }).toEqual({ status: 143, stderr: "" });
    expect({ status: closed.status, stderr: closed.stderr }).toEqual({ status: 141, stderr: "" });
  });
});

describe("a setting", () => {
  it.each([
    ["tempreature", "1", "tempreature: there is no such command or setting; /help lists them"],
    ["temperature", "", "temperature: expected a number"],
    ["top-k", "0", "topK: expected an integer from 1, got 0"],
    ["greedy", "yes", 'greedy: expected on or off, got "yes"'],
    ["greedy", "on", "temperature: has no meaning together with greedy"],
    ["stop", '"', expect.stringMatching(/^stop: .*JSON/)],
    ["no-repeat-ngram-size", "0", "noRepeatNgramSize: expected an integer from 1, got 0"],
  ])("is refused: /%s %s", (name, value, message) => {
    expect(() => withSetting({ temperature: 1 }, name, value)).toThrow(expect.objectContaining({ message }));
  });

  it("is added where there may be several, and taken back by default", () => {
    const settings = [
      ["stop", "a"],
      ["stop", '"default"'],
      ["logit-bias", "5=-Infinity"],
      ["top-k", "5"],
      ["top-k", "default"],
    ].reduce((before, [name, value]) => withSetting(before, name!, value!), {});
    expect(settings).toEqual({ stop: ["a", "default"], logitBias: new Map([[5, -Infinity]]) });
    expect(describeSettings(settings)).toBe('/logit-bias 5=-Infinity\n/stop a\n/stop "default"\n');
  });
});

/** util-linux's script gives a command a pseudo-terminal; BSD's has other options. */
const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

describe.runIf(hasScript)("at a terminal", () => {
  /** Runs a command at a terminal, types what answers what is seen, and returns all that was shown. */
  async function at(args: readonly string[], steps: readonly (readonly [seen: RegExp, typed: string])[]) {
    const command = [process.execPath, MAIN, ...args].map((part) => `'${part}'`).join(" ");
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: { ...process.env, TERM: "xterm" },
    });
    let shown = "";
    let from = 0;
    const left = [...steps];
    child.stdout.on("data", (data: Buffer) => {
      shown += data.toString();
      const [seen, typed] = left[0] ?? [];
      if (!seen?.test(shown.slice(from))) return;
      left.shift();
      from = shown.length;
      child.stdin.write(typed!);
    });
    const [status] = await once(child, "close");
    expect(left).toEqual([]);
    return { status, shown: shown.replaceAll("\r\n", "\n") };
  }

  it("gpt2 run takes lines, settings and mistakes, and Ctrl-D ends it", async () => {
    const { status, shown } = await at(
      ["run", "--seed", "3", "-n", "12", "--temperature", "0.8"],
      [
        [/> /, "/tempreature 1\r"],
        [/\/help lists them[\s\S]*> /, "wrong\u0003"], // Ctrl-C forgets what was typed
        [/wrong/, "To be\r"],
        [/be[\s\S]*\n[\s\S]*\n[^\n]*> /, "\u0004"],
      ],
    );
    expect(status).toBe(0);
    expect(shown).toContain((await after(["To be"], 3)).trimEnd());
  });

  it("Ctrl-C stops a continuation, and at the prompt leaves with status 130", async () => {
    const { status, shown } = await at(
      ["run", "--greedy", "-n", "250", "--device", "reference"],
      [
        [/> /, "To be\r"],
        [/To be[\s\S]*\n[\s\S]*\w/, "\u0003"],
        [/> /, "\u0003"],
      ],
    );
    expect(status).toBe(130);
    expect(shown.length).toBeLessThan(600);
  });

  it("gpt2 score, tokenize and generate say what they wait for", async () => {
    for (const [command, what] of [
      ["score", "lines of JSON"],
      ["tokenize", "the text"],
      ["generate", "the prompt"],
    ] as const) {
      const { shown } = await at(
        [command],
        [[new RegExp(`reading ${what} from standard input; end with Ctrl-D`), "\u0003"]],
      );
      expect(shown).toContain(what);
    }
  });
});
