// Checks the packages that are models, and that the commands find the shipped one after `npm install`. Part of check-packages.mjs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run, spawn } from "./processes.mjs";

/** What a tarball holds, and nothing else: a model folder with its card and licence, and how it was trained where our code did it. */
const FILES = ["LICENSE", "README.md", "config.json", "merges.txt", "model.safetensors", "package.json", "vocab.json"];
const MODELS = [
  { where: "weights/stories", files: [...FILES, "training/log.jsonl", "training/loss.svg"], users: ["cli"] },
  { where: "weights/shakespeare", files: FILES, users: [] },
];
const MOST_BYTES = 8_000_000;

/** Packs the models into `folder`. Returns the packages' names, manifests and tarballs. */
export function packModels(root, folder, problem) {
  return MODELS.map((model) => packModel(root, folder, model, problem));
}

function packModel(root, folder, model, problem) {
  const where = join(root, model.where);
  const manifest = JSON.parse(readFileSync(join(where, "package.json"), "utf8"));
  const { name } = manifest;
  const [packed] = Object.values(JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder, where], root)));
  const files = packed.files.map(({ path }) => path).sort();
  console.log(`${name} ${manifest.version}: ${files.length} files, ${(packed.size / 1000).toFixed(0)} kB packed`);
  if (files.join() !== [...model.files].sort().join()) problem(name, `holds ${files.join(", ")}`);
  if (packed.size > MOST_BYTES) problem(name, `has ${packed.size} bytes; at most ${MOST_BYTES}`);
  const text = (path) => readFileSync(path, "utf8");
  if (text(join(where, "LICENSE")) !== text(join(root, "LICENSE"))) problem(name, "LICENSE is not the repository's");
  const users = ["cli", "gpt2", "hw1", "server", "tensor", "safetensors"].filter((each) => {
    const { dependencies } = JSON.parse(text(join(root, "packages", each, "package.json")));
    return dependencies?.[name] !== undefined;
  });
  if (users.join() !== model.users.join()) problem(name, `these depend on it: ${users.join(", ") || "none"}`);
  return { folder: where, name, manifest, tarball: join(folder, packed.filename) };
}

/** Runs the installed commands in `consumer` as someone does who has just installed them: without naming a model. */
export function checkCommandsAsInstalled(consumer, problem) {
  const options = { env: withoutVariable("GPT2_MODEL") };
  const npx = (...args) => spawn("npx", ["--no-install", ...args], consumer, options);
  const seeded = ["-n", "12", "--seed", "1"];
  const commands = [
    ["gpt2-ts", "generate", "--prompt", "Once upon", ...seeded],
    ["gpt2", "generate", "--prompt", "Once upon", ...seeded],
    ["gpt2", "Once upon a time", ...seeded],
  ];
  for (const command of commands) {
    const { status, stdout, stderr } = npx(...command);
    if (status !== 0 || stdout.trim() === "" || stderr !== "") problem(command.join(" "), stdout + stderr);
    else
      console.log(
        `npx ${command.map((part) => (/\s/.test(part) ? `"${part}"` : part)).join(" ")}: ${JSON.stringify(stdout)}`,
      );
  }
  const talk = spawn("npx", ["--no-install", "gpt2", "run", ...seeded], consumer, {
    ...options,
    input: "Once upon a time\n/quit\n",
  });
  if (talk.status !== 0 || talk.stdout.trim() === "") problem("gpt2 run", talk.stdout + talk.stderr);
  const course = npx("@gpt2-ts/hw1", "all", "--length", "4"); // short samples: of the default ones it would take a minute
  if (course.status !== 0 || !course.stdout.includes("report.md")) problem("@gpt2-ts/hw1 all", course.stderr);
  else console.log(`npx @gpt2-ts/hw1 all: ${course.stdout.trimEnd().split("\n").length} lines, report.md written`);
}

function withoutVariable(name) {
  const { [name]: _, ...others } = process.env;
  return others;
}
