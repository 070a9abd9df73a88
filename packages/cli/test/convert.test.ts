import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIXTURES } from "../../gpt2/test/checkpoint/torch/fixtures.ts";
import { SHAKESPEARE } from "../../gpt2/test/support/models.ts";
import { gpt2 } from "./support/cli.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpt2-cli-convert-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.concurrent("gpt2 convert", () => {
  it("reads what PyTorch wrote: a folder with nothing else, or a file in one", async () => {
    const original = join(folder, "torch");
    await mkdir(original);
    const torch = join(FIXTURES, "zip.bin");
    await copyFile(join(FIXTURES, "config.json"), join(original, "config.json"));
    await copyFile(torch, join(original, "pytorch_model.bin"));
    for (const name of ["vocab.json", "merges.txt"]) await copyFile(join(SHAKESPEARE, name), join(original, name));
    const [ofFolder, ofFile] = [join(folder, "of-folder"), join(folder, "of-file")];
    const unreadable = await gpt2(["info", "--model", original]);
    const command = `gpt2 convert --model ${original} --out`;
    expect(unreadable.stderr).toContain(command);
    const runs = await Promise.all([
      gpt2(["convert", "--model", original, "--out", ofFolder]),
      gpt2(["convert", "--model", join(original, "pytorch_model.bin"), "--out", ofFile]),
    ]);
    expect(runs.map(({ status, stdout }) => ({ status, stdout }))).toEqual([
      {
        status: 0,
        stdout: `${ofFolder}
`,
      },
      {
        status: 0,
        stdout: `${ofFile}
`,
      },
    ]);
    const written = await readFile(join(ofFolder, "model.safetensors"));
    expect(written.equals(await readFile(join(ofFile, "model.safetensors")))).toBe(true);
    const { stdout } = await gpt2(["info", "--model", ofFolder, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      config: { nLayer: 2, vocabSize: 40 },
      stored: { F32: { tensors: 28 } },
    });
    expect((await gpt2(["info", "--model", pathToFileURL(ofFolder).href, "--json"])).status).toBe(0);
  });

  it("converts nanoGPT's layout, and says what is missing in the result", async () => {
    const out = join(folder, "from-nanogpt");
    const model = join(FIXTURES, "nanogpt.safetensors");
    const { status, stderr } = await gpt2(["convert", "--from", "nanogpt", "--model", model, "--out", out]);
    expect(stderr).toMatch(
      /^gpt2: .*: there is no tokenizer beside it: put vocab\.json and merges\.txt into the new folder before it is loaded\n/,
    );
    expect(status).toBe(0);
    const wrong = await gpt2(["convert", "--n-head", "2", "--model", model, "--out", join(folder, "none")]);
    expect(wrong.stderr).toBe('gpt2: --n-head: is for models from "nanogpt" only\n');
  });
});
