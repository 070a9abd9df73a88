import { describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { profileTable } from "../src/profile.ts";
import { gpt2 } from "./support/cli.ts";

const LIMITS = { bytes: 20e6, operations: { f32: 100e6, int8: Infinity } };
const OP = { shape: "1", arithmetic: "f32" } as const;

/** The rows of a printed table, by their first cell. */
function rowsOf(text: string): Map<string, string[]> {
  const rows = text.split("\n").map((line) => line.split(/ {2,}/));
  return new Map(rows.map(([title, ...cells]) => [title!, cells]));
}

describe("the table of a profile", () => {
  it("adds up an operation's shapes, the slowest first, each beside the limit that it meets first", () => {
    const text = profileTable(
      [
        // 40 MB at 20 GB/s take 2 ms; 50 Mop at 100 Gop/s take 0.5 ms.
        { ...OP, title: "add", calls: 2, milliseconds: 4, bytes: 40e6, operations: 50e6 },
        // 100 Mop take 1 ms, 2 MB 0.1 ms.
        { ...OP, title: "linear", calls: 1, milliseconds: 3, bytes: 2e6, operations: 100e6 },
        { ...OP, title: "linear", shape: "2", calls: 1, milliseconds: 2, bytes: 2e6, operations: 100e6 },
      ],
      10,
      LIMITS,
    );
    const titles = text.split("\n").map((line) => line.split(/ {2,}/)[0]);
    expect(titles.slice(0, 5)).toEqual(["operation", "linear", "add", "between operations", "all"]);
    const rows = rowsOf(text);
    expect(rows.get("linear")).toEqual(["2", "5.00 ms", "50.0 %", "4.0 MB", "40.0 %"]);
    expect(rows.get("add")).toEqual(["2", "4.00 ms", "40.0 %", "40.0 MB", "50.0 %"]);
    expect(rows.get("between operations")).toEqual(["1.00 ms", "10.0 %"]);
    expect(rows.get("all")).toEqual(["4", "10.00 ms", "100.0 %", "44.0 MB"]);
    expect(text).toContain("20.0 GB/s, or for its arithmetic at 100.0 Gop/s (f32), whichever is more");
  });
});

it("the table does without limits that could not be measured", () => {
  const text = profileTable(
    [{ ...OP, title: "add", calls: 2, milliseconds: 4, bytes: 4e6, operations: 5 }],
    10,
    undefined,
  );
  expect(rowsOf(text).get("add")).toEqual(["2", "4.00 ms", "40.0 %", "4.0 MB"]);
  expect(text).toMatch(/\nlimit: it could not be measured\n$/);
});

describe("--profile", () => {
  const generate = ["generate", "--model", SHAKESPEARE, "--prompt", "To be", "--greedy", "--max-tokens"];

  it("prints what each operation took to standard error, and changes nothing else", async () => {
    const [plain, profiled] = await Promise.all([gpt2([...generate, "9"]), gpt2([...generate, "9", "--profile"])]);
    expect(profiled).toMatchObject({ status: 0, stdout: plain.stdout });
    const rows = rowsOf(profiled.stderr);
    // The prompt's pass and one for each token but the last; four blocks.
    expect(rows.get("attn.c_attn")?.[0]).toBe(`${4 * 9}`);
    expect(rows.get("lm_head")?.[0]).toBe("9");
    expect(rows.get("mlp.c_fc, gelu")?.[1]).toMatch(/^\d+(\.\d+)? ms$/);
  });

  it.each(["bf16", "int8"])("works with weights in %s", async (dtype) => {
    const { status, stderr } = await gpt2([...generate, "2", "--profile", "--dtype", dtype]);
    expect(status).toBe(0);
    expect(stderr.includes("(int8)")).toBe(dtype === "int8");
  });

  it("of score adds up all lines", async () => {
    const input = '{"text": "To be, or not"}\n{"text": "to be"}\n';
    const { status, stdout, stderr } = await gpt2(["score", "--model", SHAKESPEARE, "--profile"], { input });
    expect(status).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(rowsOf(stderr).has("attention")).toBe(true);
  });

  it("prints what there is when a line is wrong, and when it is interrupted", async () => {
    const input = '{"text": "To be, or not"}\nwrong\n';
    const wrong = await gpt2(["score", "--model", SHAKESPEARE, "--profile"], { input });
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/^attention .*\n/m);
    expect(wrong.stderr).toMatch(/^gpt2: line 2: /m);

    const stopped = await gpt2(["score", "--model", SHAKESPEARE, "--profile"], {
      input: "open",
      during: (child) => {
        child.stdin.write('{"text": "To be, or not"}\n');
        child.stdout.once("data", () => child.kill("SIGINT"));
      },
    });
    expect(stopped.status).toBe(130);
    expect(stopped.stderr).toMatch(/^attention .*\n/m);
  });
});
