// Checks the packages as their users get them: packs each into a tarball, looks at what is in it, installs the tarballs into
// an empty folder, and there imports them, compiles against their types, runs their READMEs' examples and the command; builds a
// program with bundlers. `npm run check:packages` builds first. With `-- --all` also what takes minutes: Parcel, Next.js, Jest,
// Bun, Deno, Cloudflare's workers. Needs the npm registry (or npm's cache) for the packages' dependencies.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, hostname, tmpdir } from "node:os";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { checkBundlers } from "./check-bundlers.mjs";
import { checkJest, checkRuntimes, checkWorkers } from "./check-places.mjs";
import { checkCommandsAsInstalled, packModels } from "./check-shipped-model.mjs";
import { run, spawn } from "./processes.mjs";
import { readmeExamples } from "./readme-examples.mjs";

const ATTW = "@arethetypeswrong/cli@0.18.5";
/** The oldest compiler that reads the declarations, as docs/features.md says. */
const OLDEST_TYPESCRIPT = "5.4";
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = ["safetensors", "tensor", "gpt2", "server", "cli", "hw1"].map((folder) => {
  const manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"));
  return { folder: join(root, "packages", folder), manifest, name: manifest.name };
});
const withoutDependencies = ["safetensors-ts", "@gpt2-ts/tensor"];
const problems = [];
const problem = (where, what) => problems.push(`${where}: ${what}`);

const work = mkdtempSync(join(tmpdir(), "check-packages-"));
try {
  for (const each of packages) await checkTarball(each);
  const models = packModels(root, work, problem);
  checkAlone();
  const consumer = installTarballs([...packages, ...models]);
  checkTypes(consumer);
  checkImports(consumer);
  checkReadmes(consumer);
  checkCommand(consumer);
  checkCommandsAsInstalled(consumer, problem);
  const libraries = ["safetensors-ts", "@gpt2-ts/tensor", "@gpt2-ts/gpt2"];
  const tarballs = libraries.map((name) => packages.find((each) => each.name === name).tarball);
  const all = process.argv.includes("--all");
  const place = (name) => ({ work: join(work, name), tarballs, root, all, problem });
  checkBundlers(place("bundlers"));
  if (all) {
    checkJest(place("jest"));
    checkRuntimes(place("runtimes"));
    checkWorkers(place("workers"));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (problems.length > 0) {
  console.error(problems.map((text) => `✗ ${text}`).join("\n"));
  process.exit(1);
}
console.log("The packages are fit to be published.");

/** What is in the tarball, and what its package.json says. */
async function checkTarball(each) {
  const { folder, manifest, name } = each;
  const [packed] = Object.values(JSON.parse(run("npm", ["pack", "--json", "--pack-destination", work, folder], root)));
  each.tarball = join(work, packed.filename);
  const files = packed.files.map(({ path }) => path);
  console.log(
    `${name} ${manifest.version}: ${files.length} files, ${kilobytes(packed.size)} packed, ${kilobytes(packed.unpackedSize)} unpacked`,
  );

  const unpacked = join(work, "unpacked", name);
  mkdirSync(unpacked, { recursive: true });
  run("tar", ["-xzf", each.tarball, "-C", unpacked, "--strip-components=1"], root);
  const text = (file) => readFileSync(join(unpacked, file), "utf8");
  const has = new Set(files);
  for (const file of ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "src/index.ts"]) {
    if (!has.has(file)) problem(name, `${file} is missing`);
  }
  for (const file of files) {
    if (
      !/^(bin\/.*\.js|data\/.*\.txt|dist\/.*\.(js|d\.ts)(\.map)?|dist\/kernels(-relaxed)?\.wasm|src\/.*\.(ts|json)|package\.json|README\.md|LICENSE)$/.test(
        file,
      )
    ) {
      problem(name, `${file} should not be in it`);
    }
    for (const place of [root, homedir(), tmpdir() + posix.sep, hostname(), "registry.", "file://"]) {
      // The root user's home and short host names occur in ordinary text.
      if (place.length > 5 && text(file).includes(place)) problem(name, `${file} contains ${JSON.stringify(place)}`);
    }
    if (file.endsWith(".map")) {
      for (const source of JSON.parse(text(file)).sources) {
        const path = posix.join(posix.dirname(file), source);
        if (!has.has(path)) problem(name, `${file} refers to ${path}, which is missing`);
      }
    } else if (file.startsWith("dist/") && !file.endsWith(".wasm")) {
      if (!has.has(`${file}.map`)) problem(name, `${file} has no source map`);
      if (file.endsWith(".js") && !has.has(file.replace(/\.js$/, ".d.ts")))
        problem(name, `${file} has no declarations`);
    }
  }
  if (text("LICENSE") !== readFileSync(join(root, "LICENSE"), "utf8")) problem(name, "LICENSE is not the repository's");

  for (const field of ["description", "keywords", "license", "engines", "exports", "files", "type"]) {
    if (manifest[field] === undefined) problem(name, `package.json has no ${field}`);
  }
  if (manifest.exports["./package.json"] !== "./package.json") problem(name, "package.json is not among the exports");
  const peers = Object.entries(manifest.peerDependencies ?? {});
  const dependencies = {
    ...manifest.dependencies,
    ...Object.fromEntries(peers.filter(([peer]) => !manifest.peerDependenciesMeta?.[peer]?.optional)),
    ...manifest.optionalDependencies,
  };
  if (withoutDependencies.includes(name) && Object.keys(dependencies).length > 0) problem(name, "has dependencies");
  for (const { name: other, manifest: theirs } of packages) {
    const wanted = dependencies[other];
    if (wanted !== undefined && wanted !== theirs.version)
      problem(name, `needs ${other} ${wanted}, which is ${theirs.version}`);
  }
  for (const script of ["preinstall", "install", "postinstall"]) {
    if (manifest.scripts?.[script] !== undefined) problem(name, `runs a script at ${script}`);
  }

  const { messages } = await publint({ pkgDir: unpacked, strict: true, pack: false });
  for (const message of messages) problem(`${name}, publint`, formatMessage(message, manifest, { color: false }));
  const untyped = Object.keys(manifest.exports).filter((path) => path.endsWith(".wasm"));
  const exclude = untyped.length > 0 ? ["--exclude-entrypoints", ...untyped] : [];
  const types = spawn(
    "npx",
    ["--yes", ATTW, each.tarball, ...exclude, "--profile", "esm-only", "--format", "ascii"],
    work,
  );
  if (types.status !== 0) problem(`${name}, arethetypeswrong`, types.stdout + types.stderr);
}

/** Installs the tensor package alone: nothing comes with it, and only its gpu device asks for GPU.js. */
function checkAlone() {
  const name = "@gpt2-ts/tensor";
  const alone = join(work, "alone");
  mkdirSync(alone);
  writeJson(join(alone, "package.json"), { name: "alone", private: true, type: "module" });
  const { tarball } = packages.find((each) => each.name === name);
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", tarball], alone);
  const installed = Object.keys(JSON.parse(readFileSync(join(alone, "package-lock.json"), "utf8")).packages);
  const others = installed.filter((path) => path !== "" && path !== `node_modules/${name}`);
  if (others.length > 0) problem(name, `installing it alone brings ${others.join(", ")}`);
  writeFileSync(
    join(alone, "gpu.mjs"),
    `import { tensor } from "${name}";
import { createGpuBackend } from "${name}/gpu";
if (tensor([1, 2]).sum().itemSync() !== 3) throw new Error("it cannot add");
const error = await createGpuBackend().catch((error) => error);
console.log(error.name + ": " + error.message);
`,
  );
  const { status, stdout, stderr } = spawn(process.execPath, ["gpu.mjs"], alone);
  if (status !== 0 || !/^DeviceError: .*npm install gpu\.js webgpu/.test(stdout)) {
    problem(name, `without GPU.js its gpu device answers ${JSON.stringify(stdout + stderr)}`);
  }
}

/** An empty project with the tarballs installed, and this repository's compiler to compile it with. */
function installTarballs(all) {
  const consumer = join(work, "consumer");
  mkdirSync(consumer);
  writeJson(join(consumer, "package.json"), { name: "consumer", private: true, type: "module" });
  const tarballs = all.map(({ tarball }) => tarball);
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", ...tarballs], consumer);
  for (const { name } of packages) {
    if (!existsSync(join(consumer, "node_modules", name, "dist/index.js"))) problem(name, "was not installed");
  }
  for (const name of ["@types/node", "undici-types"]) {
    cpSync(join(root, "node_modules", name), join(consumer, "node_modules", name), { recursive: true });
  }
  symlinkSync(join(root, "weights"), join(consumer, "weights"), "dir");
  return consumer;
}

/** Compiles a program against the declarations, those of the packages checked too. */
function checkTypes(consumer) {
  writeFileSync(
    join(consumer, "types.ts"),
    `import { GPT2, type GenerateOptions, type Score } from "@gpt2-ts/gpt2";
import { dim, type Tensor, zeros } from "@gpt2-ts/tensor";
import { createGpuBackend, type GpuInfo } from "@gpt2-ts/tensor/gpu";
import { open, type TensorReader } from "safetensors-ts";

const T = dim("T", 7);
export const product: Tensor<[typeof T, 4]> = zeros([T, 3]).matmul(zeros([3, 4]));
// @ts-expect-error: inner sizes 3 and 4 differ
zeros([2, 3]).matmul(zeros([4, 4]));
export async function use(options: GenerateOptions): Promise<Score> {
  const model = await GPT2.load("folder");
  // @ts-expect-error: there is no such option
  await model.generate("text", { ...options, numBeams: 2 });
  const reader: TensorReader = await open("file.safetensors");
  return model.score(String(reader.names.length));
}
export async function onGpu(): Promise<GpuInfo> {
  const device = await createGpuBackend({ mode: "webgpu" });
  using model = await GPT2.load("folder", { device });
  using own = await GPT2.load("folder", { device: "gpu", gpuMode: "auto" });
  return device.info();
}
`,
  );
  const settings = [
    { module: "node16", moduleResolution: "node16", lib: ["ES2022"], types: ["node"] },
    { module: "nodenext", moduleResolution: "nodenext", lib: ["ES2022", "DOM"], types: ["node"] },
    { module: "esnext", moduleResolution: "bundler", lib: ["ES2022", "DOM"], types: [] },
  ];
  for (const setting of settings) {
    compile(consumer, ["types.ts"], { ...setting, noEmit: true }, `types with ${JSON.stringify(setting)}`);
  }
  checkOldTypes(consumer);
}

/** Compiles with the oldest compiler, also by the old way of finding modules, which knows no "exports". */
function checkOldTypes(consumer) {
  const old = join(work, "typescript");
  mkdirSync(old);
  writeJson(join(old, "package.json"), { name: "old", private: true });
  const packages = [
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
    "--loglevel=error",
    `typescript@${OLDEST_TYPESCRIPT}`,
  ];
  run("npm", ["install", ...packages], old);
  const tsc = join(old, "node_modules/typescript/bin/tsc");
  for (const [module, moduleResolution] of [
    ["node16", "node16"],
    ["esnext", "bundler"],
    ["esnext", "node10"],
  ]) {
    const options = { module, moduleResolution, lib: ["ES2022", "DOM"], types: [], noEmit: true };
    compile(consumer, ["types.ts"], options, `types with TypeScript ${OLDEST_TYPESCRIPT}, ${moduleResolution}`, tsc);
  }
}

/** Compiles files under strict settings; what the compiler says is a problem. */
function compile(consumer, files, options, what, tsc = join(root, "node_modules/typescript/bin/tsc")) {
  const compilerOptions = { target: "es2022", strict: true, skipLibCheck: false, ...options };
  writeJson(join(consumer, "tsconfig.json"), { compilerOptions, files });
  const { status, stdout } = spawn(process.execPath, [tsc, "-p", "."], consumer);
  if (status !== 0) problem(what, stdout);
}

/** Imports every package from JavaScript, from ES modules and from CommonJS. */
function checkImports(consumer) {
  const names = JSON.stringify([
    ...packages.map(({ name }) => name),
    "@gpt2-ts/tensor/gpu",
    "@gpt2-ts/tensor/math",
    "@gpt2-ts/gpt2/node",
  ]);
  const check = `if (Object.keys(module).length < 2) throw new Error(name + " exports too little");
    if ("default" in module) throw new Error(name + " has a default export");`;
  writeFileSync(
    join(consumer, "import.mjs"),
    `for (const name of ${names}) { const module = await import(name); ${check} }`,
  );
  writeFileSync(
    join(consumer, "require.cjs"),
    `for (const name of ${names}) { const module = require(name); ${check} }`,
  );
  writeFileSync(
    join(consumer, "kernels.mjs"),
    `import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createWasmBackend, tensor } from "@gpt2-ts/tensor";
const path = createRequire(import.meta.url).resolve("@gpt2-ts/tensor/kernels.wasm");
const device = createWasmBackend({ module: new WebAssembly.Module(readFileSync(path)) });
if (tensor([1, 2], { device }).sum().itemSync() !== 3) throw new Error("it cannot add");
`,
  );
  for (const file of ["import.mjs", "require.cjs", "kernels.mjs"]) {
    const { status, stderr } = spawn(process.execPath, ["--no-warnings", file], consumer);
    if (status !== 0 || stderr !== "") problem(file, stderr);
  }
}

/** Compiles the READMEs' examples and runs them: what they print has to be what they say. */
function checkReadmes(consumer) {
  const models = ["weights/stories", "weights/shakespeare"].map((folder) => join(root, folder));
  const readmes = [root, ...packages.map(({ folder }) => folder), ...models].map((folder) => join(folder, "README.md"));
  const examples = readmes.flatMap((file) => readmeExamples(file, relative(root, file)));
  const files = examples.map(({ code, language }, i) => {
    const file = `example-${i}.${language === "js" ? "mjs" : "mts"}`;
    writeFileSync(join(consumer, file), code);
    return file;
  });
  const options = {
    module: "node16",
    lib: ["ES2023", "DOM", "ESNext.Disposable"],
    types: ["node"],
    allowJs: true,
    checkJs: true,
    outDir: "compiled",
  };
  compile(
    consumer,
    files,
    options,
    `the READMEs' examples ${examples.map(({ where }, i) => `(${i}: ${where})`).join(" ")}`,
  );
  let ran = 0;
  for (const [i, { where, language, runs, prints }] of examples.entries()) {
    if (!runs) continue;
    ran++;
    const program = language === "js" ? `example-${i}.mjs` : `compiled/example-${i}.mjs`; // JavaScript as it stands
    const { status, stdout, stderr } = spawn(process.execPath, [program], consumer);
    if (status !== 0) problem(where, stderr);
    else if (stdout.trim() !== prints.join("\n"))
      problem(where, `printed\n${stdout.trim()}\nwhere it says\n${prints.join("\n")}`);
  }
  console.log(`READMEs: ${examples.length} examples compiled, ${ran} run`);
}

/** Runs the installed command. */
function checkCommand(consumer) {
  const gpt2 = (...args) => spawn("npx", ["--no-install", "gpt2", ...args], consumer);
  const prompt = ["--prompt", "To be, or not to be", "--max-tokens", "20", "--seed", "1"];
  const first = gpt2("generate", "--model", "weights/shakespeare", ...prompt);
  const again = gpt2("generate", "--model", "weights/shakespeare", ...prompt);
  if (first.status !== 0 || first.stdout.trim() === "") problem("gpt2 generate", first.stderr);
  if (first.stdout !== again.stdout) problem("gpt2 generate", "the same seed gave different texts");
  const info = gpt2("info", "--model", "weights/shakespeare");
  if (info.status !== 0 || !info.stdout.includes("957,184")) problem("gpt2 info", info.stdout + info.stderr);
  const wrong = gpt2("generate", "--no-such-option");
  if (wrong.status === 0 || wrong.stdout !== "") problem("gpt2 generate --no-such-option", "did not fail cleanly");
  const gpu = gpt2("generate", "--model", "weights/shakespeare", ...prompt, "--device", "gpu");
  if (gpu.status !== 1 || gpu.stdout !== "" || !/^gpt2: .*npm install gpu\.js webgpu[^\n]*\n$/.test(gpu.stderr)) {
    problem("gpt2 generate --device gpu", `without GPU.js it answers ${JSON.stringify(gpu.stdout + gpu.stderr)}`);
  }
  checkWithoutServer(consumer, gpt2);
  const course = spawn(
    "npx",
    ["--no-install", "hw1", "sample", "--model", "weights/shakespeare", "--length", "5"],
    consumer,
  );
  if (course.status !== 0 || !course.stdout.includes("samples.txt")) problem("hw1 sample", course.stderr);
  const commands = readdirSync(join(consumer, "node_modules/.bin"));
  for (const name of ["gpt2", "hw1"]) {
    if (!commands.some((file) => file.startsWith(name))) problem(name, "there is no such command");
  }
}

/** The command does without the server's package until it is to serve. */
function checkWithoutServer(consumer, gpt2) {
  const server = join(consumer, "node_modules/@gpt2-ts/server");
  renameSync(server, `${server}-away`);
  const { status, stdout, stderr } = gpt2("serve", "--port", "0");
  renameSync(`${server}-away`, server);
  if (status !== 1 || stdout !== "" || !/^gpt2: .*npm install @gpt2-ts\/server\n$/.test(stderr)) {
    problem("gpt2 serve", `without its package it answers ${JSON.stringify(stdout + stderr)}`);
  }
}

function writeJson(file, value) {
  writeFileSync(file, JSON.stringify(value, undefined, 2));
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
