// Checks the package that is the shipped model, and that the commands find it after `npm install`. Part of check-packages.mjs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run, spawn } from "./processes.mjs";

/** What the tarball holds, and nothing else: a model folder with its card and licence. */
const FILES = ["LICENSE", "README.md", "config.json", "merges.txt", "model.safetensors", "package.json", "vocab.json"];
const MOST_BYTES = 8_000_000;

/** Packs weights/shakespeare into `folder`. Returns the package's name, manifest and tarball. */
export function packShippedModel(root, folder, problem) {
  const where = join(root, "weights/shakespeare");
  const manifest = JSON.parse(readFileSync(join(where, "package.json"), "utf8"));
  const { name } = manifest;
  const [packed] = Object.values(JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder, where], root)));
  const files = packed.files.map(({ path }) => path).sort();
  console.log(`${name} ${manifest.version}: ${files.length} files, ${(packed.size / 1000).toFixed(0)} kB packed`);
  if (files.join() !== [...FILES].sort().join()) problem(name, `holds ${files.join(", ")}`);
  if (packed.size > MOST_BYTES) problem(name, `has ${packed.size} bytes; at most ${MOST_BYTES}`);
  const text = (path) => readFileSync(path, "utf8");
  if (text(join(where, "LICENSE")) !== text(join(root, "LICENSE"))) problem(name, "LICENSE is not the repository's");
  const users = ["cli", "gpt2", "hw1", "tensor", "safetensors"].filter((each) => {
    const { dependencies } = JSON.parse(text(join(root, "packages", each, "package.json")));
    return dependencies?.[name] !== undefined;
  });
  if (users.join() !== "cli") problem(name, `the command alone depends on it, not ${users.join(", ")}`);
  return { folder: where, name, manifest, tarball: join(folder, packed.filename) };
}

/** Runs the installed commands in `consumer` as someone does who has just installed them: without naming a model. */
export function checkCommandsAsInstalled(consumer, problem) {
  const options = { env: withoutVariable("GPT2_MODEL") };
  const npx = (...args) => spawn("npx", ["--no-install", ...args], consumer, options);
  const seeded = ["-n", "12", "--seed", "1"];
  const commands = [
    ["gpt2-ts", "generate", "--prompt", "To be", ...seeded],
    ["gpt2", "generate", "--prompt", "To be", ...seeded],
    ["gpt2", "To be or", ...seeded],
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
    input: "To be\n/quit\n",
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
