import type { Score } from "@gpt2-ts/gpt2";
import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeOnGpu } from "../../../gpt2/test/support/gpu.ts";
import { largestDifference, SHAKESPEARE } from "../../../gpt2/test/support/models.ts";
import { gpt2 } from "../support/cli.ts";

const GENERATE = ["generate", "--prompt", "To be, or not", "--max-tokens", "8", "--greedy"];
const WEBGPU = ["--device", "gpu", "--gpu-mode", "webgpu"];

let wasm: GPT2;
beforeAll(async () => {
  wasm = await GPT2.load(SHAKESPEARE);
});
afterAll(() => wasm.dispose());

/** The last line of what a command wrote to standard error: WebGPU's implementation may have written some before. */
const lastLine = (stderr: string): string => stderr.trimEnd().split("\n").at(-1)!;

/** The environment in which there is no adapter, and no X server for headless-gl; other systems have no such switch. */
const NO_DRIVER = { VK_ICD_FILENAMES: "/nowhere.json", VK_DRIVER_FILES: "/nowhere.json", DISPLAY: "" };
const onLinux = it.runIf(process.platform === "linux");

/** The environment in which a package is not installed. */
function without(name: string): Record<string, string> {
  const hook = `export async function resolve(specifier, context, next) {
    if (specifier !== ${JSON.stringify(name)}) return next(specifier, context);
    throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  }`;
  const module = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(module(hook))});`;
  return { NODE_OPTIONS: `--no-warnings --import ${module(register)}` };
}

await describeOnGpu("gpt2 --device gpu", () => {
  it("writes the text that the wasm device writes, and nothing else", async () => {
    const { text } = await wasm.generate("To be, or not", { greedy: true, maxTokens: 8 });
    expect(await gpt2([...GENERATE, ...WEBGPU])).toMatchObject({ status: 0, stdout: text, stderr: "" });
  });

  it("scores as the wasm device does, line by line", async () => {
    const texts = ["To be, or not to be", "a", "What, wilt thou not be gone?"];
    const input = texts.map((text) => `${JSON.stringify({ text })}\n`).join("");
    const { status, stdout, stderr } = await gpt2(["score", ...WEBGPU], { input });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const scores = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Score);
    const expected = await wasm.scoreAll(texts);
    expect(scores.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
    for (const [i, { logprobs }] of scores.entries()) {
      expect(largestDifference(logprobs, expected[i]!.logprobs)).toBeLessThan(1e-4);
    }
  });

  it("keeps on Ctrl-C what it has written, and exits with status 130", async () => {
    const args = ["generate", "--prompt", "To be", "--max-tokens", "240", "--greedy", ...WEBGPU];
    const { status, stdout, stderr } = await gpt2(args, {
      during: (child) => child.stdout.once("data", () => child.kill("SIGINT")),
    });
    expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
    const { text } = await wasm.generate("To be", { maxTokens: 240, greedy: true });
    expect(stdout).not.toBe("");
    expect(text.startsWith(stdout)).toBe(true);
    expect(stdout.length).toBeLessThan(text.length);
  });

  it("is described by gpt2 info: mode and adapter, or what each mode answered", async () => {
    const [asked, auto] = await Promise.all([
      gpt2(["info", "--gpu-mode", "webgpu", "--json"]),
      gpt2(["info", "--json"]),
    ]);
    const { gpu, devices } = JSON.parse(asked.stdout);
    expect(gpu).toMatchObject({ mode: "webgpu", adapter: { vendor: expect.any(String) }, degraded: {}, trials: [] });
    expect(devices.gpu).toContain("mode webgpu of GPU.js, on ");
    expect(devices.gpu).toContain(gpu.adapter.vendor);
    const { gpu: chosen } = JSON.parse(auto.stdout);
    const trials = new Map(chosen.trials.map(({ mode, answer }: Record<string, string>) => [mode, answer]));
    expect([...trials.keys()]).toEqual(["webgpu", "webgl2", "headlessgl", "webasm", "cpu"]);
    expect(trials.get("webgpu")).toMatch(/^on .*multiplies 128×128 matrices in [\d.]+ ms$|^on .*256×256/);
    expect(trials.get(chosen.mode)).toContain("multiplies");
  });

  onLinux("says on standard error when it found nothing better than the CPU, and computes there", async () => {
    const { text } = await wasm.generate("To be, or not", { greedy: true, maxTokens: 8 });
    const { status, stdout, stderr } = await gpt2([...GENERATE, "--device", "gpu"], { env: NO_DRIVER });
    expect({ status, stdout }).toEqual({ status: 0, stdout: text });
    expect(lastLine(stderr)).toMatch(/^gpt2: no GPU here .* GPU\.js runs on the CPU \(mode (webasm|cpu)\)/);
  });

  onLinux("is an error in one line where there is no adapter", async () => {
    const { status, stdout, stderr } = await gpt2([...GENERATE, ...WEBGPU], { env: NO_DRIVER });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(lastLine(stderr)).toMatch(/^gpt2: gpu: WebGPU found no adapter; .*Vulkan loader .*VK_DRIVER_FILES/);
  });

  it("is an error in one line where the package webgpu is not installed", async () => {
    const { status, stdout, stderr } = await gpt2([...GENERATE, ...WEBGPU], { env: without("webgpu") });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(
      "gpt2: gpu: WebGPU in Node needs the package webgpu, 0.6 or later: npm install gpu.js webgpu\n",
    );
  });

  it("is an error in one line in a mode of browsers", async () => {
    const { status, stdout, stderr } = await gpt2([...GENERATE, "--device", "gpu", "--gpu-mode", "webgl2"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe("gpt2: gpu: mode webgl2 is for browsers; in Node there are webgpu and headlessgl\n");
  });
}, ["webgpu"]);

describe("gpt2 where GPU.js is not installed", () => {
  it("answers --device gpu with one line that says what to install", async () => {
    const { status, stdout, stderr } = await gpt2([...GENERATE, "--device", "gpu"], { env: without("gpu.js") });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^gpt2: gpu: GPU\.js [^\n]*npm install gpu\.js webgpu [^\n]*\n$/);
  });

  it("tells so in gpt2 info, which works", async () => {
    const { status, stdout } = await gpt2(["info"], { env: without("gpu.js") });
    expect(status).toBe(0);
    expect(stdout).toMatch(/gpu: not available: GPU\.js .*npm install gpu\.js webgpu/);
  });

  it("computes on the other devices without asking for it", async () => {
    const { text } = await wasm.generate("To be, or not", { greedy: true, maxTokens: 8 });
    expect(await gpt2(GENERATE, { env: without("gpu.js") })).toMatchObject({ status: 0, stdout: text, stderr: "" });
  });
});
