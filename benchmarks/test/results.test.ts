import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LogitsResult } from "../src/accuracy/result.ts";
import type { Machine } from "../src/harness/machine.ts";
import { processorOf } from "../src/harness/processor.ts";
import { spread } from "../src/harness/statistics.ts";
import { RESULTS } from "../src/paths.ts";
import type { PeersResult } from "../src/peers/result.ts";
import { conditionsOf, newest, readResults, resultPath } from "../src/results-file.ts";
import type { RooflineResult } from "../src/roofline/result.ts";
import type { ScalingResult } from "../src/scaling/result.ts";
import type { SpeedResult } from "../src/speed/result.ts";
import { accuracyTable } from "../src/tables/accuracy-table.ts";
import { peersCharts } from "../src/tables/peers-chart.ts";
import { peersSummary, peersTable } from "../src/tables/peers-tables.ts";
import { rooflineTable } from "../src/tables/roofline-table.ts";
import { scalingTable } from "../src/tables/scaling-table.ts";
import { matmulTable } from "../src/tables/speed-tables.ts";
import { trainTable } from "../src/tables/train-table.ts";
import type { TrainPart } from "../src/train/result.ts";

const described = (cpu: string, simd: string[] = ["avx2", "fma"], platform = "linux x64") => ({ cpu, simd, platform });

describe("the folder of a processor", () => {
  test.each([
    [described("AMD EPYC"), "amd-epyc-avx2", "AMD EPYC, AVX2 only"],
    [described("AMD EPYC", ["avx2", "avx512_vnni", "avx512f", "avx_vnni"]), "amd-epyc-avx512-vnni"],
    [
      described("Intel(R) Xeon(R) Platinum 8175M CPU @ 2.50GHz", ["avx2", "avx512f"]),
      "intel-xeon-platinum-8175m-avx512",
    ],
    [described("12th Gen Intel(R) Core(TM) i7-1260P", ["avx2", "avx_vnni"]), "12th-gen-intel-core-i7-1260p-avx2-vnni"],
    [described("AMD Ryzen 9 7950X 16-Core Processor"), "amd-ryzen-9-7950x-avx2", "AMD Ryzen 9 7950X, AVX2 only"],
    [described("AMD Phenom(tm) II X6 1090T Six-Core Processor", []), "amd-phenom-ii-x6-1090t-x64"],
    [described("AMD Ryzen 7 5800H with Radeon Graphics"), "amd-ryzen-7-5800h-avx2"],
    [described("Apple M2 Pro", ["asimd"], "darwin arm64"), "apple-m2-pro-neon", "Apple M2 Pro, Neon"],
    [described("unknown", ["asimd", "asimddp"], "linux arm64"), "unknown-neon-dotprod"],
    [described("", [], "win32 x64"), "unknown-x64"],
  ])("%j is %s", (machine, slug, title = processorOf(machine).title) => {
    expect(processorOf(machine)).toEqual({ slug, title });
  });

  test("is a safe name whatever a processor is called, and does not depend on cores, memory or Node.js", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (cpu, simd) => {
        expect(processorOf(described(cpu, simd)).slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      }),
    );
    const machine = { ...described("AMD EPYC"), cores: 2, memoryGiB: 24 };
    const path = resultPath("peers", { machine, node: "v24.21.0" });
    expect(relative(RESULTS, path)).toBe(join("amd-epyc-avx2", "peers-node24.json"));
    expect(resultPath("peers", { machine: { ...machine, cores: 64 }, node: "v24.0.0" })).toBe(path);
  });

  test("every result of this repository lies in the folder of the processor that it names", async () => {
    for (const kind of [
      "peers",
      "speed",
      "roofline",
      "logits",
      "quality",
      "memory",
      "gpu",
      "against",
      "train",
      "batch",
      "serve",
      "scaling",
    ]) {
      for (const { results } of await readResults(kind)) {
        for (const result of results) {
          const paths = new Set(conditionsOf(result).map((conditions) => resultPath(kind, conditions)));
          expect([kind, paths.size]).toEqual([kind, 1]);
          expect(JSON.parse(await readFile([...paths][0]!, "utf8"))).toEqual(result);
        }
      }
    }
    expect((await readResults("peers")).length).toBeGreaterThan(0);
  });
});

/** The results of one kind in this repository, and once more as if another machine had measured them. */
async function fromTwoMachines<Result extends object>(kind: string, date: string) {
  const folder = await mkdtemp(join(tmpdir(), "results-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const ours = (await readResults<Result>(kind)).find(({ processor }) => processor.slug === "amd-epyc-avx2");
  const other: Partial<Machine> = { cpu: "Some Xeon", simd: ["avx2", "avx512_vnni", "avx512f"] };
  for (const result of ours!.results) {
    const node = /\d+/.exec(conditionsOf(result)[0]!.node)![0];
    const text = JSON.stringify(result);
    const changed = JSON.stringify(result, (key, value) =>
      key === "conditions" ? { ...value, date, machine: { ...value.machine, ...other } } : value,
    );
    for (const [name, content] of [
      ["one", text],
      ["other", changed],
    ] as const) {
      await mkdir(join(folder, name), { recursive: true });
      await writeFile(join(folder, name, `${kind}-node${node}.json`), content);
    }
  }
  const all = await readResults<Result>(kind, folder);
  expect(all.map(({ processor }) => processor.slug)).toEqual(["amd-epyc-avx2", "some-xeon-avx512-vnni"]);
  return all;
}

const LATER = "2030-01-01T00:00:00.000Z";
const EARLIER = "2020-01-01T00:00:00.000Z";
const count = (text: string | undefined, part: string): number => (text ?? "").split(part).length - 1;

describe("tables of two machines", () => {
  test("bench:peers: engines one after the other, ratios side by side, a chart for each", async () => {
    const all = await fromTwoMachines<PeersResult>("peers", LATER);
    const text = peersTable(all)!;
    expect(text).toContain("Node | AMD EPYC, AVX2 only | Some Xeon, AVX-512 with VNNI | target |");
    const ratios = text.split("\n").filter((line) => line.startsWith("| decode: gpt2-ts f32 : llama.cpp f32 | 24 |"));
    expect(ratios).toHaveLength(1);
    const [, , , one, other] = ratios[0]!.split(" | ").map((cell) => cell.trim());
    expect(one).toMatch(/×\*{0,2} \(/);
    expect(other).toMatch(/×/);
    expect(text).toContain("Some Xeon, AVX-512 with VNNI, Node 24:");
    expect(count(text, "| node -e 0 | 24 |")).toBe(1);

    const summary = peersSummary(all)!;
    expect(count(summary, "| gpt2-ts f32 |")).toBe(2);
    const charts = [...peersCharts(all).keys()];
    for (const [, name] of summary.matchAll(/docs\/figures\/([\w.-]+)/g)) expect(charts).toContain(name);
    expect(charts).toContain("peers-score-some-xeon-avx512-vnni-dark.svg");
  });

  test("a ratio that only one machine has leaves the other's cell empty", async () => {
    const [one, other] = await fromTwoMachines<PeersResult>("peers", LATER);
    const fewer = other!.results.map((result) => ({ ...result, parts: { decode: result.parts.decode! } }));
    const text = peersTable([one!, { ...other!, results: fewer }])!;
    expect(text).toMatch(/\| prefill: gpt2-ts f32 : onnxruntime-node f32 \| 24 \| \S+ \([^|]+\) \| {2}\| 0\.6× \|/);
  });

  test("bench:speed and bench:roofline: a row or a section for each", async () => {
    const matmul = matmulTable(await fromTwoMachines<SpeedResult>("speed", LATER));
    expect(count(matmul, "| matrix product 1024×1024×1024 | AMD EPYC, AVX2 only | 24 |")).toBe(1);
    expect(count(matmul, "| matrix product 1024×1024×1024 | Some Xeon, AVX-512 with VNNI | 24 |")).toBe(1);
    const roofline = rooflineTable(await fromTwoMachines<RooflineResult>("roofline", LATER));
    expect(count(roofline, "**Some Xeon, AVX-512 with VNNI**")).toBe(1);
    expect(count(roofline, "| mlp.c_fc, gelu |")).toBe(6);
  });

  test("accuracy is shown from the newest run; that the bits agree is checked over all of them", async () => {
    const later = await fromTwoMachines<LogitsResult>("logits", LATER);
    expect(newest(later)).toBe(later[1]!.results);
    const text = accuracyTable(later)!;
    const versions = later[0]!.results.map(({ conditions }) => conditions.node).join(", ");
    expect(text).toContain(`the same to the bit on AMD EPYC, AVX2 only (Node ${versions}) and on Some Xeon`);
    const checks = 2 * later[0]!.results.reduce((sum, { identities }) => sum + identities.length, 0);
    expect(text).toContain(`${checks} of ${checks} checks`);
    expect(text).toContain("Some Xeon (2 cores, avx2, avx512_vnni, avx512f)");
    const earlier = await fromTwoMachines<LogitsResult>("logits", EARLIER);
    expect(newest(earlier)).toBe(earlier[0]!.results);

    const [one, other] = later;
    const [prompt, ...prompts] = other!.results[0]!.prompts;
    const different = { ...other!.results[0]!, prompts: [{ ...prompt!, digest: "0" }, ...prompts] };
    expect(accuracyTable([one!, { ...other!, results: [different] }])).toContain("**not the same** on");
  });

  test("bench:train: every engine of every part, ratios of ours, and the memory", () => {
    const { conditions } = { conditions: { machine: { cpu: "X", cores: 2, memoryGiB: 1, platform: "p", simd: [] } } };
    const about = { title: "steps", unit: "tokens/s", higherIsBetter: true, repeated: 0, disturbed: 0 } as const;
    const samples = (engine: string, median: number) => ({ engine, ...spread([median]) });
    const comparison = {
      ...about,
      measured: [samples("gpt2-ts", 300), samples("PyTorch", 400)],
      ratios: [{ peer: "PyTorch", ratio: spread([0.75]) }],
    };
    const part: TrainPart = {
      command: "npm run bench:train",
      conditions: { ...conditions, date: LATER, node: "v24.0.0", loadAverage: 0 },
      threads: 2,
      engines: [],
      missing: [],
      comparisons: [comparison],
      memory: { deviceBytes: 3e9, estimateBytes: 2.5e9, ratio: 1.2 },
    };
    const processor = { slug: "x", title: "X" };
    const text = trainTable([{ processor, results: [{ kind: "train", parts: { "124m": part } }] }])!;
    expect(text).toContain(
      "| 124M shape: steps | PyTorch | 24 | 400 tokens/s | 400 tokens/s – 400 tokens/s | 0.75× (0.75–0.75) |",
    );
    expect(text).toContain("124M shape: 3000 MB of wasm memory, 1.20 times the estimate of 2500 MB.");
    expect(trainTable([{ processor, results: [{ kind: "train", parts: {} }] }])).toBeUndefined();
  });

  test("bench:scaling: each way to score, a core's share, and what a billion tokens take", () => {
    const conditions = { machine: { cpu: "X", cores: 2, memoryGiB: 1, platform: "p", simd: [] }, date: LATER };
    const samples = (engine: string, ...values: number[]) => ({ engine, ...spread(values) });
    const comparison = {
      ...({ title: "score", unit: "tokens/s", higherIsBetter: true } as const),
      ...{ ratios: [], repeated: 0, disturbed: 0 },
      measured: [samples("1 job", 90, 110), samples("2 jobs", 180)],
    };
    const cases = [
      { jobs: 1, threads: 1, peakBytes: spread([6e8, 7e8]) },
      { jobs: 2, threads: 1, peakBytes: spread([12e8]) },
    ];
    const result: ScalingResult = {
      kind: "scaling",
      ...{ command: "npm run bench:scaling", checkpoint: "c", lines: 64, tokensPerLine: 128 },
      conditions: { ...conditions, node: "v24.0.0", loadAverage: 0 },
      groups: [{ dtype: "f32", cases, comparison }],
    };
    const text = scalingTable([{ processor: { slug: "x", title: "X" }, results: [result] }])!;
    expect(text).toContain("| f32, `--jobs 1 --threads 1` | 100 | 100 | 700 MB | 2778 |");
    expect(text).toContain("| f32, `--jobs 2 --threads 1` | 180 | 90 | 1200 MB | 3086 |");
    expect(scalingTable([])).toBeUndefined();
  });

  test("no results at all are not an error", async () => {
    expect(await readResults("peers", join(tmpdir(), "no such folder"))).toEqual([]);
    expect([peersTable([]), peersSummary([]), matmulTable([]), rooflineTable([]), accuracyTable([])]).toEqual(
      Array(5).fill(undefined),
    );
  });
});
