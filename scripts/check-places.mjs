// Runs the packages where things are forbidden or different: Jest, Bun and Deno, and Cloudflare's workers, where nothing may be
// compiled.
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "./processes.mjs";

const INSTALL = ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

/** Jest with ES modules, which it needs a flag of Node for; a file that wants jsdom elsewhere asks for Node by its first lines. */
export function checkJest({ work, tarballs, root, problem }) {
  prepare(work, ["jest@30", "jest-environment-jsdom@30", ...tarballs]);
  symlinkSync(join(root, "weights"), join(work, "weights"), "dir");
  const test = `import { GPT2 } from "@gpt2-ts/gpt2";

test("writes", async () => {
  const model = await GPT2.load("weights/shakespeare");
  const { text } = await model.generate("To be, or not to be", { maxTokens: 12, temperature: 0 });
  expect(text).toBe(" the cause.\\n\\nGLOUCESTER:\\nI'll be");
});
`;
  writeFileSync(join(work, "node.test.js"), test);
  writeFileSync(join(work, "page.test.js"), `/** @jest-environment node */\n${test}`);
  for (const args of [["node.test"], ["--env=jsdom", "page.test"]]) {
    const env = { ...process.env, NODE_OPTIONS: "--experimental-vm-modules" };
    const { status, stderr } = spawn("npx", ["--no-install", "jest", ...args], work, { env });
    if (status !== 0) problem(`jest ${args.join(" ")}`, stderr);
  }
}

/** Bun and Deno: the model on the calling thread, and in a worker, whose failure is an error of the call. */
export function checkRuntimes({ work, tarballs, root, problem }) {
  prepare(work, ["bun@1", "deno@2", ...tarballs]);
  symlinkSync(join(root, "weights"), join(work, "weights"), "dir");
  writeFileSync(join(work, "broken.mjs"), 'throw new Error("broken");');
  writeFileSync(
    join(work, "run.mjs"),
    `import { GPT2 } from "@gpt2-ts/gpt2";
import { GPT2Worker } from "@gpt2-ts/gpt2/worker";

for (const Kind of [GPT2, GPT2Worker]) {
  using model = await Kind.load("weights/shakespeare");
  const { text } = await model.generate("To be, or not to be", { maxTokens: 12, temperature: 0 });
  console.log(JSON.stringify(text));
}
const worker = new Worker(new URL("./broken.mjs", import.meta.url), { type: "module" });
await GPT2Worker.load("weights/shakespeare", { worker }).catch(({ name }) => console.log(name));
`,
  );
  const expected = `${`${JSON.stringify(" the cause.\n\nGLOUCESTER:\nI'll be")}\n`.repeat(2)}WorkerError\n`;
  for (const command of [
    ["bun", "run.mjs"],
    ["deno", "run", "--allow-read", "run.mjs"],
  ]) {
    const { stdout, stderr } = spawn("npx", ["--no-install", ...command], work);
    if (stdout !== expected) problem(command[0], `prints ${stdout}${stderr}`);
  }
}

/** A worker in Cloudflare's runtime: the kernels come compiled, and without them the error says so. */
export function checkWorkers({ work, tarballs, problem }) {
  prepare(work, ["miniflare@4", "esbuild@0.28.2", ...tarballs]);
  writeFileSync(
    join(work, "worker.js"),
    `import kernels from "./kernels.wasm";
import { GPT2 } from "@gpt2-ts/gpt2";
import { createWasmBackend, tensor } from "@gpt2-ts/tensor";

export default {
  async fetch() {
    const sum = (device) => tensor([1, 2], { device }).sum().itemSync();
    let error;
    try { sum("wasm"); } catch (caught) { error = caught.message; }
    return Response.json([typeof GPT2.load, sum(createWasmBackend({ module: kernels })), sum("reference"), error]);
  },
};
`,
  );
  copyFileSync(join(work, "node_modules/@gpt2-ts/tensor/dist/kernels.wasm"), join(work, "kernels.wasm"));
  const bundle = ["esbuild", "worker.js", "--bundle", "--format=esm", "--conditions=workerd,worker,browser"];
  const bundled = spawn("npx", ["--no-install", ...bundle, "--external:./kernels.wasm", "--outfile=bundle.mjs"], work);
  if (bundled.status !== 0) return problem("workers", bundled.stderr);
  writeFileSync(
    join(work, "run.mjs"),
    `import { Miniflare } from "miniflare";
const worker = new Miniflare({
  modules: [{ type: "ESModule", path: "bundle.mjs" }, { type: "CompiledWasm", path: "kernels.wasm" }],
  compatibilityDate: "2026-01-01",
});
console.log(await (await worker.dispatchFetch("http://worker/")).text());
await worker.dispose();
`,
  );
  const { stdout, stderr } = spawn(process.execPath, ["run.mjs"], work);
  if (!/^\["function",3,3,"wasm: [^"]*createWasmBackend\(\{ module \}\)[^"]* reference device"\]$/m.test(stdout)) {
    problem("workers", `the worker answers ${stdout}${stderr}`);
  }
}

function prepare(work, packages) {
  mkdirSync(work);
  writeFileSync(join(work, "package.json"), JSON.stringify({ name: "place", private: true, type: "module" }));
  const { status, stderr } = spawn("npm", [...INSTALL, ...packages], work);
  if (status !== 0) throw new Error(`npm install ${packages.join(" ")} failed: ${stderr}`);
}
