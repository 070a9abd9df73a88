import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useHub } from "../../gpt2/test/hub/hub-fixture.ts";
import { gpt2 } from "./support/cli.ts";

const hub = useHub();
const SHIPPED = new URL("../../../weights/shakespeare/", import.meta.url);
const TORCH = new URL("../../gpt2/test/checkpoint/torch/fixtures/", import.meta.url);

/** The Shakespeare model as the branch `v2` of a model whose main branch is broken. */
async function publish(): Promise<void> {
  const files: Record<string, Uint8Array> = {};
  for (const name of ["config.json", "vocab.json", "merges.txt", "model.safetensors"]) {
    files[name] = await readFile(new URL(name, SHIPPED));
  }
  hub.server.commit("org/name", files, "v2");
  hub.server.commit("org/name", { ...files, "config.json": "{}", "vocab.json": "{}" });
}

const run = (...args: string[]) => gpt2(args, { input: '{"text":"To be"}', env: { HF_ENDPOINT: hub.server.url } });

describe("a revision", () => {
  it("is taken by every command that takes a model, as --revision and behind the name", async () => {
    await publish();
    const out = join(hub.cacheDir, "..");
    for (const choice of [
      ["--model", "org/name@v2"],
      ["--model", "org/name", "--revision", "v2"],
    ]) {
      const commands = [
        ["tokenize"],
        ["info"],
        ["generate", "--prompt", "To be", "--max-tokens", "2"],
        ["score"],
        ["logits", "--text", "To be", "--out", join(out, "logits.safetensors")],
        ["convert", "--dtype", "bf16", "--overwrite", "--out", join(out, "converted")],
      ];
      for (const [name = "", ...args] of commands) {
        const { status, stderr } = await run(name, ...args, ...choice);
        expect([name, status, stderr.match(/^gpt2: .*/m)]).toEqual([name, 0, null]);
      }
    }
    expect((await run("tokenize", "--model", "org/name")).status).toBe(1);
  });

  it("of something else than a model on the hub, or another one than the name says, is an error", async () => {
    await publish();
    const theLine = async (...args: string[]) => {
      const { status, stderr } = await run(...args);
      expect(status).toBe(1);
      return stderr;
    };
    expect(await theLine("tokenize", "--revision", "v2")).toMatch(
      /^gpt2: --revision: .*shakespeare is no model of the/,
    );
    expect(await theLine("tokenize", "--revision", "v2", "--model", "http://h/m")).toMatch(
      /^gpt2: --revision: http:\/\/h\/m is/,
    );
    expect(await theLine("tokenize", "--revision", "v3", "--model", "org/name@v2")).toMatch(
      /names another revision than "v3"/,
    );
  });
});

describe("a model that only PyTorch reads", () => {
  it("is an error that names the command, which downloads and converts it", async () => {
    const names = ["config.json", "vocab.json", "merges.txt"];
    const files: Record<string, Uint8Array> = {};
    for (const name of names) files[name] = await readFile(new URL(name, SHIPPED));
    files["pytorch_model.bin"] = await readFile(new URL("zip.bin", TORCH));
    hub.server.commit("org/old", files);
    const refused = await run("generate", "--prompt", "x", "--model", "org/old");
    expect(refused.stderr).toContain("gpt2 convert --model org/old --out FOLDER downloads and converts them");
    const out = join(hub.cacheDir, "..", "converted");
    const converted = await run("convert", "--model", "org/old", "--out", out);
    // The fixture's weights are another model's than the config: what counts is that they were fetched and opened.
    expect(converted.stderr).toMatch(/pytorch_model\.bin/);
    const fetched = await gpt2(["download", "org/old", "--bin"], { env: { HF_ENDPOINT: hub.server.url } });
    expect(fetched).toMatchObject({ status: 0 });
    expect(await readFile(join(fetched.stdout.trim(), "pytorch_model.bin"))).toEqual(files["pytorch_model.bin"]);
  });
});
