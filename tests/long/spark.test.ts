import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gpt2, MAIN } from "../../packages/cli/test/support/cli.ts";

const SCRIPT = fileURLToPath(new URL("../../examples/spark/score_corpus.py", import.meta.url));
/** A Python that has PySpark. */
const PYTHON = process.env["SPARK_PYTHON"] ?? "python3";
/** A master and two workers of one core and 1 GiB each, in processes of their own. */
const CLUSTER = "local-cluster[2,1,1024]";
const LINES = 600;
const PARTITIONS = 8;
const FIELDS = "logLikelihood,perplexity,ids";

const missing = whatIsMissing();
if (missing !== undefined) console.warn(`Tests of Spark are skipped: ${missing}.`);

function whatIsMissing(): string | undefined {
  if (process.platform !== "linux") return "they look for processes in /proc";
  if (spawnSync("java", ["-version"]).status !== 0)
    return "there is no Java (Debian: apt-get install default-jre-headless)";
  if (spawnSync(PYTHON, ["-c", "import pyspark"]).status === 0) return undefined;
  return `${PYTHON} has no PySpark (pip install pyspark; SPARK_PYTHON names another Python)`;
}

/** Runs a Python program on Spark. */
function python(args: readonly string[], master: string): { child: ChildProcess; ended: Promise<string> } {
  const own = { PYSPARK_PYTHON: PYTHON, SPARK_LOCAL_IP: "127.0.0.1" };
  const home = spawnSync(PYTHON, ["-c", "import pyspark, os; print(os.path.dirname(pyspark.__file__))"]);
  const submitted = `--master ${master} --conf spark.ui.enabled=false pyspark-shell`;
  const child = spawn(PYTHON, args, {
    env: { ...process.env, ...own, SPARK_HOME: home.stdout.toString().trim(), PYSPARK_SUBMIT_ARGS: submitted },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const ended = once(child, "close").then(([status]) => {
    if (status !== 0) throw new Error(`Spark ended with status ${status}: ${output}`);
    return output;
  });
  return { child, ended };
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return [
        { pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ") },
      ];
    } catch {
      return []; // it has ended
    }
  });
}

/** An executor, below one of our processes, that is scoring. */
function workingExecutor(root: number): number | undefined {
  const all = new Map(processes().map((each) => [each.pid, each]));
  for (const { command, parent } of all.values()) {
    if (!command.includes(`${MAIN} score`)) continue;
    let executor: number | undefined;
    for (let above = all.get(parent); above !== undefined; above = all.get(above.parent)) {
      if (above.command.includes("CoarseGrainedExecutorBackend")) executor = above.pid;
      if (above.pid === root) return executor;
    }
  }
  return undefined;
}

describe.skipIf(missing !== undefined)("scoring on Spark", () => {
  let room: string;
  let reference: string;
  beforeAll(async () => {
    room = await mkdtemp(join(tmpdir(), "gpt2-spark-"));
    const lines = Array.from({ length: LINES }, (_, i) => {
      const words = Array.from({ length: 40 }, (_, j) => (i * 7919 + j * 104_729) % 1000).join(" ");
      return `${JSON.stringify({ id: i, text: `Line ${i}, naïve: ${words}` })}\n`;
    });
    await writeFile(join(room, "corpus.jsonl"), lines.join(""));
    const { status, stdout } = await gpt2(["score", join(room, "corpus.jsonl"), "--fields", FIELDS]);
    expect(status).toBe(0);
    reference = stdout;
  });
  afterAll(() => rm(room, { recursive: true }));

  it("scores each line once, in order, to the byte, though an executor is killed", async () => {
    const args = [
      join(room, "corpus.jsonl"),
      join(room, "scores"),
      "--partitions",
      `${PARTITIONS}`,
      "--fields",
      FIELDS,
    ];
    const { child, ended } = python([SCRIPT, ...args, "--gpt2", `${process.execPath} ${MAIN}`], CLUSTER);
    let killed: number | undefined;
    const look = setInterval(() => {
      killed = workingExecutor(child.pid!);
      if (killed === undefined) return;
      clearInterval(look);
      process.kill(killed, "SIGKILL");
    }, 50);
    const output = await ended.finally(() => clearInterval(look));
    expect(killed).toBeDefined();
    const lost = output.split("\n").filter((line) => /Lost (?:executor|task)/.test(line));
    expect(lost.some((line) => line.includes("ExecutorLostFailure"))).toBe(true);

    const parts = (await readdir(join(room, "scores"))).filter((name) => /^part-\d+$/.test(name)).sort();
    const written = (await Promise.all(parts.map((name) => readFile(join(room, "scores", name), "utf8")))).join("");
    const ids = written
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).id);
    console.log(
      `executor ${killed} was killed:\n${lost.join("\n")}\n` +
        `${parts.length} parts with ${ids.length} lines of ${new Set(ids).size} different ids, of ${LINES}`,
    );
    expect(ids).toEqual(Array.from({ length: LINES }, (_, i) => i));
    expect(written).toBe(reference);
    expect(await readdir(join(room, "scores"))).toContain("_SUCCESS");
  });

  it("scores Parquet to Parquet, with other columns and exact numbers", async () => {
    const convert = (from: string, to: string): string =>
      `from pyspark.sql import SparkSession\ns = SparkSession.builder.getOrCreate()\n${from}\n${to}\n`;
    const json = (name: string): string => JSON.stringify(join(room, name));
    const read = `d = s.read.schema("id long, text string").json(${json("corpus.jsonl")})`;
    await python(["-c", convert(read, `d.limit(50).coalesce(1).write.parquet(${json("corpus.parquet")})`)], "local[1]")
      .ended;
    const args = [join(room, "corpus.parquet"), join(room, "scores.parquet"), "--fields", FIELDS];
    await python([SCRIPT, ...args, "--gpt2", `${process.execPath} ${MAIN}`], "local[1]").ended;
    const back = `s.read.parquet(${json("scores.parquet")}).orderBy("id").coalesce(1).write.json(${json("back")})`;
    await python(["-c", convert("", back)], "local[1]").ended;
    const [part] = (await readdir(join(room, "back"))).filter((name) => /^part-.*\.json$/.test(name));
    const rows = (await readFile(join(room, "back", part!), "utf8")).trimEnd().split("\n");
    expect(rows.map((row) => JSON.parse(row))).toEqual(
      reference
        .split("\n")
        .slice(0, 50)
        .map((line) => JSON.parse(line)),
    );
  });
});
