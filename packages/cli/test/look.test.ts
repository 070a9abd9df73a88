import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GPT2 } from "@gpt2-ts/gpt2";
import { drawAttention, drawContributions, drawLens, drawSurprise } from "@gpt2-ts/gpt2/draw";
import { contributions, logitLens, startHooks, trace } from "@gpt2-ts/gpt2/look";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { table } from "../src/look/table.ts";
import { gpt2 } from "./support/cli.ts";

const TEXT = "ROMEO:\nO Juliet, Juli";

let model: GPT2;
let folder: string;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
  folder = await mkdtemp(join(tmpdir(), "gpt2-cli-look-"));
});
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** What the command prints, without a complaint. */
async function look(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await gpt2(["look", ...args]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** The cells of a line of a table. */
const cellsOf = (output: string, label: string): string[] =>
  output
    .split("\n")
    .filter((line) => line.trimStart().startsWith(`${label} `))
    .flatMap((line) => line.trim().slice(label.length).trim().split(/ {2,}/));

describe.concurrent("gpt2 look", () => {
  it("prints surprise, attention, logit lens and contributions, as the library has them", async () => {
    const output = await look("--text", TEXT);
    const score = await model.score(TEXT);
    expect(cellsOf(output, "bits")).toEqual(score.logprobs.map((logprob) => (-logprob / Math.LN2).toFixed(1)));
    expect(output).toContain(`perplexity ${score.perplexity.toFixed(2)}`);
    expect(cellsOf(output, "token")).toEqual(["ROMEO", ":", "↵", "O", "·J", "ul", "i", "et", ",", "·J", "ul", "i"]);

    const { values } = await trace(model, TEXT, { places: ["h.0.attn.pattern"] });
    const row = values[0]!.data.subarray(3 * 144 + 11 * 12, 4 * 144);
    const most = Math.max(...row);
    const [, token] = [0, score.tokens[row.indexOf(most)]!.replace(" ", "·")];
    expect(cellsOf(output, "h.0")[3]).toBe(`${token}(${row.indexOf(most)}) ${(100 * most).toFixed(0)}%`);

    const { layers } = await logitLens(model, TEXT);
    for (const { place, top } of layers) {
      const shares = top.map(([first]) => (100 * first!.probability).toFixed(0));
      expect(
        cellsOf(output, place).map((cell) => cell.split(" ").at(-1)),
        place,
      ).toEqual(shares);
    }

    const found = await contributions(model, TEXT);
    const mlps = found.parts.filter(({ part }) => part.endsWith("mlp.cProj")).map(({ logit }) => logit);
    const [, table] = output.split("contributions to");
    for (const [layer, logit] of mlps.entries()) {
      expect(Number(cellsOf(table!, `h.${layer}`).at(-1))).toBeCloseTo(logit, 2);
    }
    expect(table).toContain(`“et” after “i” (11): logit +${found.logit.toFixed(2)}`);
  });

  it("shows one head, explains one token against another, and reads standard input", async () => {
    const head = await look("--text", TEXT, "--show", "attention", "--layer", "2", "--head", "1");
    const [{ data } = { data: undefined }] = (await trace(model, TEXT, { places: ["h.2.attn.pattern"] })).values;
    expect(cellsOf(head, " 4 ·J".trim())).toEqual(
      Array.from(data!.subarray(144 + 4 * 12, 144 + 4 * 12 + 5), (share) => (100 * share).toFixed(0)),
    );
    const args = ["--show", "contributions", "--target", "et", "--against", "us", "--position", "6"];
    const { stdout } = await gpt2(["look", ...args], { input: `${TEXT}\n` });
    expect(stdout).toBe(await look("--text", TEXT, ...args));
    expect(stdout).toBe(await look(TEXT, ...args));
    expect(stdout).toContain("contributions to “et” rather than “us” after “i” (6)");
  });

  it("switches places off", async () => {
    const ablate = ["h.0.attn.head.3", "h.*.mlp.cProj"];
    const output = await look("--text", TEXT, "--show", "lens,surprise", "--ablate", ablate.join(","));
    const { layers } = await logitLens(model, TEXT, { ablate });
    expect(cellsOf(output, "x.4").map((cell) => cell.split(" ").at(-1))).toEqual(
      layers[4]!.top.map(([first]) => (100 * first!.probability).toFixed(0)),
    );
    using own = await GPT2.load(SHAKESPEARE); // the other tests use theirs meanwhile
    startHooks(own, { ablate });
    const { perplexity } = await own.score(TEXT);
    expect(output).toContain(`perplexity ${perplexity.toFixed(2)}`);
  });

  it("writes SVG files, and prints their names", async () => {
    const out = join(folder, "new", "folder");
    const names = await look("--text", TEXT, "--out", out, "--theme", "dark");
    const files = ["surprise.svg", "attention.svg", "lens.svg", "contributions.svg"];
    expect(names).toBe(files.map((file) => `${join(out, file)}\n`).join(""));
    expect((await readdir(out)).sort()).toEqual(files.toSorted());
    const read = (file: string): Promise<string> => readFile(join(out, file), "utf8");
    const options = { theme: "dark" } as const;
    expect(await read("surprise.svg")).toBe(drawSurprise(await model.score(TEXT), options));
    expect(await read("lens.svg")).toBe(drawLens(await logitLens(model, TEXT), options));
    expect(await read("contributions.svg")).toBe(drawContributions(await contributions(model, TEXT), options));

    await look("--text", TEXT, "--out", out, "--show", "attention", "--layer", "0", "--head", "3");
    const { tokens, values } = await trace(model, TEXT, { places: ["h.0.attn.pattern"] });
    const pattern = values[0]!.data.subarray(3 * 144);
    expect(await read("attention-0-3.svg")).toBe(
      drawAttention(tokens, pattern, { title: "Attention of layer 0, head 3" }),
    );
    await look("--text", TEXT, "--out", out, "--show", "attention", "--layer", "2");
    expect(await read("attention-2.svg")).toContain(">h.2<");
  });

  it("takes a text of one token", async () => {
    const output = await look("--text", "a");
    expect(output).toContain("(one token has nothing before it)");
    expect(output).toContain("contributions to");
  });
});

describe("tables", () => {
  const rows = [
    {
      label: "漢",
      cells: [
        { text: "a", strength: 0.05 },
        { text: "漢字", strength: 0.2 },
        { text: "c", strength: 0.5 },
      ],
    },
    { label: "xyz", cells: [{ text: "1.00", strength: 0.9 }, { text: "2" }, { text: "" }] },
  ];

  it("align columns by what they take at a terminal", () => {
    expect(table(rows, { columns: 80, isTTY: false } as never)).toBe("  漢      a  漢字  c\n  xyz  1.00     2\n");
  });

  it("go on in bands below where a terminal is narrow", () => {
    expect(table(rows, { columns: 17, isTTY: false } as never)).toBe(
      "  漢      a  漢字\n  xyz  1.00     2\n\n  漢   c\n  xyz\n",
    );
  });

  it("are shaded at a terminal, by dim, bold and reversed letters", () => {
    expect(table(rows, { columns: 80, isTTY: true } as never)).toBe(
      "  漢      \x1b[2ma\x1b[0m  漢字  \x1b[1mc\x1b[0m\n  xyz  \x1b[7m1.00\x1b[0m     2\n",
    );
  });
});
