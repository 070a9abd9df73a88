import { spawn } from "node:child_process";
import { once } from "node:events";
import { GPT2 } from "@gpt2-ts/gpt2";
import { describe, expect, it } from "vitest";
import { MAIN } from "../../packages/cli/test/support/cli.ts";
import { SHAKESPEARE } from "../../packages/gpt2/test/support/models.ts";

/** Input for the command line that no string can hold: a beginning, a unit again and again, and an end. */
interface LargeInput {
  readonly start?: string;
  readonly unit: string;
  readonly times: number;
  readonly end?: string;
}

/** Runs the command line and looks at its output as it comes. */
async function run(
  args: readonly string[],
  { start = "", unit, times, end = "" }: LargeInput,
  onOutput: (data: Buffer) => void,
): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args]);
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdout.on("data", onOutput);
  const closed = once(child, "close");
  let open = true;
  child.stdin.on("error", () => {
    open = false; // a command that refuses its input does not read all of it
  });
  const atOnce = Math.ceil(2 ** 20 / unit.length);
  child.stdin.write(start);
  for (let sent = 0; sent < times && open; sent += atOnce) {
    if (!child.stdin.write(unit.repeat(Math.min(atOnce, times - sent)))) {
      await Promise.race([new Promise((resolve) => child.stdin.once("drain", resolve)), closed]);
    }
  }
  if (open) child.stdin.end(end);
  const [status] = (await closed) as [number | null];
  return { status, stderr };
}

/** Checks output against a beginning and a unit again and again. */
function periodic(start: string, unit: string): { check: (data: Buffer) => void; length: () => number } {
  const pattern = Buffer.from(unit.repeat(Math.ceil(2 ** 20 / unit.length) + 2));
  let length = 0;
  return {
    check: (data) => {
      const skipped = Math.max(0, start.length - length);
      expect(data.subarray(0, skipped).toString()).toBe(start.slice(length, length + data.length));
      for (let from = skipped; from < data.length; from += 2 ** 20) {
        const piece = data.subarray(from, from + 2 ** 20);
        const at = (length + from - start.length) % unit.length;
        if (!piece.equals(pattern.subarray(at, at + piece.length))) throw new Error(`other output from ${length} on`);
      }
      length += data.length;
    },
    length: () => length,
  };
}

describe("input that no string or array can hold", () => {
  const sentence = " Whoever reads this, 漢字 too.\n";

  it("of 600 MB is tokenized, and decoded again", async () => {
    using model = await GPT2.load(SHAKESPEARE);
    const ids = model.tokenizer.encode(sentence.repeat(2)).slice(0, model.tokenizer.encode(sentence).length);
    const times = Math.ceil(6e8 / Buffer.byteLength(sentence));
    const tokens = `${ids.join(",")},`;
    const encoded = periodic("[", tokens);
    let rest = Buffer.alloc(0); // the end is "]\n" in the place of a comma
    const result = await run(["tokenize"], { unit: sentence, times }, (data) => {
      rest = Buffer.concat([rest, data]);
      if (rest.length < 200) return;
      encoded.check(rest.subarray(0, -100));
      rest = rest.subarray(-100);
    });
    expect(result).toEqual({ status: 0, stderr: "" });
    expect(rest.toString().endsWith(`${ids.slice(-3).join(",")}]\n`)).toBe(true);
    expect(encoded.length() + rest.length).toBe(1 + tokens.length * times + 1);

    const text = periodic("", Buffer.from(sentence).toString("latin1"));
    const decoded = await run(
      ["tokenize", "--decode"],
      { start: "[", unit: tokens, times: times - 1, end: `${ids.join(",")}]` },
      (data) => text.check(Buffer.from(data.toString("latin1"))),
    );
    expect(decoded).toEqual({ status: 0, stderr: "" });
  });

  it.each([
    ["generate", { unit: sentence, times: 3e7 }, "standard input is too long: a text has at most 536870888 characters"],
    [
      "score",
      { start: '{"text":"', unit: "to be ", times: 1e8, end: '"}' },
      "line 1: it is longer than 268435456 bytes",
    ],
    ["score", { start: '{"text":"', unit: "a ", times: 1.3e8, end: '"}' }, "a text of more than 112813858 tokens"],
    ["score", { start: '{"text":"', unit: "a", times: 2.6e8, end: '"}' }, "a text of more than 112813858 tokens"],
    [
      "score",
      { start: '{"ids":[', unit: "1,", times: 1.3e8, end: "1]}" },
      "130000001 tokens do not fit into the context of 256",
    ],
    ["score", { start: '{"n":', unit: "[", times: 2.6e8 }, "nested more than 1000 levels deep"],
    ["tokenize", { unit: "a", times: 3e8 }, "no word ends within 268435456 characters"],
  ] as const)("is refused by %s with an error that says so: %j", async (command, input, message) => {
    const { status, stderr } = await run([command], input, () => {});
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr.split("\n")).toHaveLength(2);
  });
});
