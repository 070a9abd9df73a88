// `npm run soak`: the tests of properties and of faults, round after round, until each goal below is reached. What was reached
// is kept in .cache/soak and goes on from there; Ctrl-C loses the round that runs. docs/reliability.md has the figures.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { goals } from "./soak-goals.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = join(root, ".cache", "soak");
const [stateFile, recordFile, resultFile] = ["state.json", "record.jsonl", "result.json"].map((name) =>
  join(folder, name),
);

const { values: flags } = parseArgs({
  options: {
    times: { type: "string", default: "50" },
    only: { type: "string" },
    "start-over": { type: "boolean", default: false },
  },
});
const times = Number(flags.times);
if (!Number.isInteger(times) || times < 1) fail(`--times: expected an integer from 1, got ${flags.times}`);
const chosen = goals.filter(({ name }) => flags.only === undefined || name === flags.only);
if (chosen.length === 0) fail(`--only: expected one of ${goals.map(({ name }) => JSON.stringify(name)).join(", ")}`);

mkdirSync(folder, { recursive: true });
if (flags["start-over"]) rmSync(stateFile, { force: true });
const state = readState();
let child;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    child?.kill("SIGTERM");
    report();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}

for (let goal = furthest(); goal !== undefined; goal = furthest()) {
  const { values, seconds, failures } = await round(goal, state.rounds);
  const reached = reachedOf(goal);
  reached.values += values;
  reached.seconds += seconds;
  reached.failures.push(...failures);
  state.rounds++;
  save();
  console.error(`round ${state.rounds}: ${describe(goal)}`);
}
report();
process.exitCode = chosen.some((goal) => reachedOf(goal).failures.length > 0) ? 1 : 0;

/** The goal that is furthest from being reached; undefined when all are. */
function furthest() {
  const [goal] = [...chosen].sort((a, b) => shareOf(a) - shareOf(b));
  return shareOf(goal) < 1 ? goal : undefined;
}

function shareOf(goal) {
  return reachedOf(goal)[goal.unit] / goal.wanted;
}

function reachedOf({ name }) {
  state.reached[name] ??= { values: 0, seconds: 0, failures: [] };
  return state.reached[name];
}

/** Runs a goal's tests once. */
async function round({ files, tests }, number) {
  for (const file of [recordFile, resultFile]) rmSync(file, { force: true });
  const begin = performance.now();
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const config = join("tests", "long", "vitest.config.ts");
  const args = ["run", "--config", config, ...files, "--testNamePattern", tests, "--reporter=json"];
  child = spawn(process.execPath, [vitest, ...args, `--outputFile=${resultFile}`], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, LONG_TIMES: `${times}`, LONG_SEED: `${number + 1}`, LONG_RECORD: recordFile },
  });
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const result = JSON.parse(readFileSync(resultFile, "utf8"));
  if (result.numTotalTests === 0) fail(`no test matches ${tests} in ${files.join(", ")}`);
  const failures = result.testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter((test) => test.status === "failed")
      .map(({ fullName, failureMessages }) => ({ seed: number + 1, test: fullName, message: failureMessages[0] })),
  );
  if (status !== 0 && failures.length === 0) fail(`vitest ended with status ${status}`);
  // Tests of faults draw no values, and write no record.
  const lines = existsSync(recordFile) ? readFileSync(recordFile, "utf8").trim().split("\n") : [];
  const values = lines.reduce((sum, line) => sum + JSON.parse(line).runs, 0);
  return { values, seconds: (performance.now() - begin) / 1000, failures };
}

function describe(goal) {
  const { values, seconds, failures } = reachedOf(goal);
  const share = Math.min(100, Math.floor(100 * shareOf(goal)));
  const time = `${(seconds / 60).toFixed(1)} min`;
  const count = goal.unit === "values" ? `${values.toLocaleString("en-US")} in ` : "";
  return `${goal.name}: ${count}${time}, ${share} % of the goal, ${failures.length} failed`;
}

function report() {
  for (const goal of chosen) {
    console.log(describe(goal));
    for (const { seed, test, message } of reachedOf(goal).failures)
      console.log(`  seed ${seed}: ${test}\n    ${message}`);
  }
}

function readState() {
  try {
    return JSON.parse(readFileSync(stateFile, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return { rounds: 0, reached: {} };
    return fail(`${stateFile}: ${error.message}; --start-over begins anew`);
  }
}

function save() {
  writeFileSync(`${stateFile}.new`, JSON.stringify(state, undefined, 2));
  renameSync(`${stateFile}.new`, stateFile);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
