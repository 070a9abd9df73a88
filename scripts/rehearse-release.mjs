// Goes through a release without publishing: what `npm run release:rehearse` does after check-packages.mjs. See docs/releasing.md.
// With --strict, what is left to do before a release is an error too.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, spawn } from "./processes.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const strict = process.argv.includes("--strict");
const text = (...path) => readFileSync(join(root, ...path), "utf8");
const workspace = JSON.parse(text("package.json"));
const problems = [];
const left = [];

const packages = inOrder(
  workspace.workspaces
    .map((folder) => ({ folder, manifest: JSON.parse(text(folder, "package.json")) }))
    .filter(({ manifest }) => !manifest.private),
);
const [{ manifest: first }] = packages;
const { version } = first;

checkVersions();
checkChangelog();
for (const each of packages) checkManifest(each);
checkCards();
for (const file of ["SECURITY.md", "LICENSE", "docs/errors.md", "docs/releasing.md"]) {
  if (!existsSync(join(root, file))) problems.push(`${file} is missing`);
}
if (run("git", ["status", "--porcelain"], root) !== "") left.push("commit what is not committed");
for (const each of packages) rehearse(each);

console.log("\nTo publish, from CI, in this order:");
for (const { folder } of packages) console.log(`  npm publish ./${folder}`);
if (left.length > 0) console.log(`\nLeft to do before a release:\n${left.map((what) => `  - ${what}`).join("\n")}`);
if (problems.length > 0) console.error(`\n${problems.map((what) => `✗ ${what}`).join("\n")}`);
if (problems.length > 0 || (strict && left.length > 0)) process.exit(1);
console.log(`\nThe release of ${version} was rehearsed.`);

/** Packages after those that they depend on. */
function inOrder(all) {
  const ordered = [];
  const visit = (each) => {
    if (ordered.includes(each)) return;
    for (const other of all) if (other.manifest.name in (each.manifest.dependencies ?? {})) visit(other);
    ordered.push(each);
  };
  all.forEach(visit);
  return ordered;
}

function checkVersions() {
  const locked = JSON.parse(text("package-lock.json")).packages;
  for (const { folder, manifest } of packages) {
    if (manifest.version !== version)
      problems.push(`${manifest.name} is ${manifest.version}, ${first.name} ${version}`);
    if (locked[folder]?.version !== manifest.version) problems.push(`package-lock.json: ${folder} has another version`);
    for (const { manifest: other } of packages) {
      const wanted = manifest.dependencies?.[other.name];
      if (wanted !== undefined && wanted !== version) problems.push(`${manifest.name} wants ${other.name} ${wanted}`);
    }
  }
}

function checkChangelog() {
  const changelog = text("CHANGELOG.md");
  if (changelog.includes(`\n## ${version} - `)) return;
  if (/\n## Unreleased\n[\s\S]*\n- /.test(changelog)) left.push(`give CHANGELOG.md a heading "## ${version} - DATE"`);
  else problems.push("CHANGELOG.md says nothing of this version");
}

function checkManifest({ folder, manifest }) {
  const { name, license, publishConfig, repository } = manifest;
  if (license !== "MIT" || text(folder, "LICENSE") !== text("LICENSE")) problems.push(`${name}: another licence`);
  if (!text(folder, "README.md").includes(name)) problems.push(`${name}: its README does not name it`);
  if (publishConfig?.access !== "public") problems.push(`${name}: publishConfig.access is not public`);
  if (publishConfig?.provenance !== true) problems.push(`${name}: publishConfig.provenance is not true`);
  if (repository === undefined) {
    left.push(
      `${name}: set "repository" (with "directory": "${folder}"): without the public address npm refuses the provenance`,
    );
  } else if (repository.directory !== folder) problems.push(`${name}: repository.directory is not ${folder}`);
}

/** What readers of a model's card look for. */
function checkCards() {
  for (const file of ["weights/stories/README.md", "weights/shakespeare/README.md"]) {
    const card = text(file);
    for (const heading of ["The model", "Training and evaluation", "Use and limits", "Licence"]) {
      if (!card.includes(`\n## ${heading}\n`)) problems.push(`${file} has no section "${heading}"`);
    }
  }
}

/** `npm publish --dry-run` does all but upload; without a login it warns. */
function rehearse({ folder, manifest }) {
  const { name } = manifest;
  const { status, stdout, stderr } = spawn("npm", ["publish", "--dry-run", "--json", `./${folder}`], root);
  if (status !== 0) {
    problems.push(`${name}: npm publish --dry-run fails: ${stderr}`);
    return;
  }
  const answer = JSON.parse(stdout);
  const published = answer[name] ?? answer; // npm 11, and before
  const files = published.files.map(({ path }) => path).sort();
  const packed = JSON.parse(run("npm", ["pack", "--dry-run", "--json", `./${folder}`], root));
  const wanted = Object.values(packed)[0]
    .files.map(({ path }) => path)
    .sort();
  if (files.join() !== wanted.join()) problems.push(`${name}: npm publish would take other files than npm pack`);
  for (const file of ["LICENSE", "README.md", "package.json"]) {
    if (!files.includes(file)) problems.push(`${name}: ${file} would not be published`);
  }
  console.log(
    `${published.id}: ${files.length} files, ${(published.size / 1000).toFixed(0)} kB, npm publish --dry-run: fine`,
  );
}
