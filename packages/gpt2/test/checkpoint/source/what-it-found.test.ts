import { execFileSync } from "node:child_process";
import { openAsBlob } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { open } from "safetensors-ts";
import { afterAll, describe, expect, test } from "vitest";
import { GPT2 } from "../../../src/gpt2.ts";
import { ModelFormatError } from "../../../src/index.ts";
import { SHAKESPEARE } from "../../support/models.ts";

const folder = await mkdtemp(join(tmpdir(), "gpt2-found-"));
afterAll(() => rm(folder, { recursive: true }));

const FILES = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
const POINTER =
  "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
const PAGE = '\n<!DOCTYPE html>\n<html lang="en"><title>My app</title></html>\n';

let count = 0;
/** The Shakespeare model in a folder of its own, with some of its files replaced by a text, or by nothing. */
async function modelWith(changes: Record<string, string | undefined>): Promise<string> {
  const model = join(folder, `${count++}`);
  await mkdir(model);
  for (const name of FILES) if (!(name in changes)) await copyFile(join(SHAKESPEARE, name), join(model, name));
  for (const [name, text] of Object.entries(changes)) if (text !== undefined) await writeFile(join(model, name), text);
  return model;
}

async function refusal(where: Parameters<typeof GPT2.load>[0]): Promise<string> {
  const error = await GPT2.load(where, { device: "reference" }).then(
    () => new Error("nothing was refused"),
    (reason: Error) => reason,
  );
  expect(error).toBeInstanceOf(ModelFormatError);
  return error.message;
}

describe("what lies in the place of a file is named, and what to do about it:", () => {
  test.each(FILES)("a Git LFS pointer as %s", async (name) => {
    const model = await modelWith({ [name]: POINTER });
    expect(await refusal(model)).toBe(
      `${join(model, name)}: a Git LFS pointer, not the file itself: run "git lfs pull" in the repository`,
    );
  });

  test("a Git LFS pointer as a shard", async () => {
    await using shipped = await open(join(SHAKESPEARE, "model.safetensors"));
    const { names } = shipped;
    const index = JSON.stringify({
      weight_map: Object.fromEntries(names.map((name) => [name, "model-1.safetensors"])),
    });
    const changes = {
      "model.safetensors": undefined,
      "model.safetensors.index.json": index,
      "model-1.safetensors": POINTER,
    };
    expect(await refusal(await modelWith(changes))).toMatch(/model-1\.safetensors: a Git LFS pointer/);
  });

  test.each(FILES)("an HTML page as %s, in a folder or as a Blob", async (name) => {
    const model = await modelWith({ [name]: PAGE });
    const message = /an HTML page, not the file: a server may answer so for a file that it does not have/;
    expect(await refusal(model)).toMatch(message);
    const blobs = await Promise.all(FILES.map(async (file) => [file, await openAsBlob(join(model, file))] as const));
    expect(await refusal(Object.fromEntries(blobs))).toBe(
      `${name}: an HTML page, not the file: a server may answer so for a file that it does not have`,
    );
  });

  test("an empty file", async () => {
    expect(await refusal(await modelWith({ "config.json": "" }))).toMatch(/config\.json: the file is empty$/);
    expect(await refusal(await modelWith({ "vocab.json": "" }))).toMatch(/vocab\.json: the file is empty$/);
    expect(await refusal(await modelWith({ "model.safetensors": "" }))).toMatch(
      /model\.safetensors: the file is empty$/,
    );
  });

  test("a folder, and a file that is too large for a text", async () => {
    const model = await modelWith({ "merges.txt": undefined });
    await mkdir(join(model, "merges.txt"));
    expect(await refusal(model)).toMatch(/merges\.txt: expected a regular file; this is a folder$/);
    const large = await modelWith({ "vocab.json": " " });
    await truncate(join(large, "vocab.json"), 2 ** 29); // takes no room on the disk
    expect(await refusal(large)).toMatch(/vocab\.json: 536870912 bytes are too many for it$/);
  });

  test.each(FILES)("%s of a tebibyte, all but its beginning a hole", async (name) => {
    const model = await modelWith({});
    try {
      await truncate(join(model, name), 2 ** 40);
    } catch {
      return; // a file system that knows no holes
    }
    const before = process.memoryUsage.rss();
    const wanted =
      name === "model.safetensors"
        ? "the tensors end at byte 3833600, but the file has 1099511627776 bytes"
        : "1099511627776 bytes are too many for it";
    await expect(GPT2.load(model, { device: "reference" })).rejects.toThrow(`${join(model, name)}: ${wanted}`);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  });

  test.skipIf(process.platform === "win32")("a pipe and an endless device, which are not waited for", async () => {
    for (const name of FILES) {
      const model = await modelWith({ [name]: undefined });
      execFileSync("mkfifo", [join(model, name)]);
      expect(await refusal(model)).toMatch(/expected a regular file; this is a pipe or device$/);
      const endless = await modelWith({ [name]: undefined });
      await symlink("/dev/zero", join(endless, name));
      expect(await refusal(endless)).toMatch(/expected a regular file; this is a pipe or device$/);
    }
    expect(await refusal("/dev/zero")).toBe("/dev/zero: not a folder");
  });
});

describe("a folder without safetensors", () => {
  const without = (files: Record<string, string>) => modelWith({ "model.safetensors": undefined, ...files });
  const neither = "there is neither model.safetensors nor model.safetensors.index.json";

  test.each(["pytorch_model.bin", "pytorch_model.bin.index.json"])(
    "but with %s names the command that converts it",
    async (name) => {
      const model = await without({ [name]: "x", "training_args.bin": "x" });
      expect(await refusal(model)).toBe(
        `${model}: ${neither}; its ${name} can be converted: gpt2 convert --model ${model} --out NEW_FOLDER`,
      );
    },
  );

  test("but with other weights names them", async () => {
    const torch = await without({ "ckpt.pt": "x", "optimizer.pt": "x" });
    expect(await refusal(torch)).toContain(
      `its ckpt.pt can perhaps be converted: gpt2 convert --model ${join(torch, "ckpt.pt")} --out`,
    );
    expect(await refusal(await without({ "tf_model.h5": "x" }))).toContain(
      "its tf_model.h5 is in TensorFlow's format, which is not read",
    );
    expect(await refusal(await without({ "gpt2.Q8_0.gguf": "x" }))).toContain(
      "its gpt2.Q8_0.gguf is in GGUF, which is not read",
    );
    expect(await refusal(await without({ "gpt2.safetensors": "x" }))).toContain("it has gpt2.safetensors: rename it");
    const trained = await without({ "training_args.bin": "x", "optimizer.pt": "x" });
    expect(await refusal(trained)).toBe(`${trained}: ${neither}`);
    const blob = new Blob(["x"]);
    expect(await refusal({ ...(await filesOf(trained)), "pytorch_model.bin": blob })).toContain(
      "its pytorch_model.bin can be converted",
    );
  });
});

async function filesOf(model: string): Promise<Record<string, Blob>> {
  const { openAsBlob } = await import("node:fs");
  const names = FILES.filter((name) => name !== "model.safetensors");
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await openAsBlob(join(model, name))] as const)),
  );
}

describe("what is no folder is named:", () => {
  test("one of its files", async () => {
    const model = await modelWith({ "pytorch_model.bin": "x", "model.gguf": "x" });
    const at = (name: string) => refusal(join(model, name));
    for (const name of FILES) {
      expect(await at(name)).toBe(
        `${join(model, name)}: not a folder; expected the one that the model's files are in, ${model}`,
      );
    }
    const path = join(model, "pytorch_model.bin");
    expect(await at("pytorch_model.bin")).toBe(
      `${path}: not a folder but a file, which can be converted: gpt2 convert --model ${path} --out NEW_FOLDER`,
    );
    expect(await at("model.gguf")).toContain("not a folder but a file in GGUF, which is not read");
  });

  test("the name of a model on the Hub", async () => {
    expect(await refusal("openai-community/gpt2-xl")).toBe(
      'openai-community/gpt2-xl: there is no such folder; GPT2.fromPretrained("openai-community/gpt2-xl") loads a model of that name' +
        ' from the Hub, and "gpt2 download openai-community/gpt2-xl" fetches it',
    );
    expect(await refusal("distilgpt2")).toContain('GPT2.fromPretrained("distilgpt2")');
    for (const path of ["./gpt2", "no/such/folder", join(folder, "nowhere")]) {
      expect(await refusal(path)).toBe(`${path}: there is no such folder`);
    }
  });
});

describe("a file URL", () => {
  test("is read as a string too", async () => {
    const url = pathToFileURL(SHAKESPEARE).href;
    for (const where of [url, new URL(url), url.replace("file:", "FILE:")]) {
      using model = await GPT2.load(where, { device: "reference" });
      expect(model.config.nEmbd).toBe(128);
    }
  });

  test("that is none, or leads nowhere, is an error of ours", async () => {
    expect(await refusal("file:///no/such/folder")).toMatch(/there is no such folder$/);
    expect(await refusal("file:///a%2Fb")).toMatch(/^file:\/\/\/a%2Fb: no path of this machine/);
    expect(await refusal("file://[")).toBe("file://[: not a valid URL");
  });
});

test("a development server that answers every request with its page is found out", async () => {
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(PAGE));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/gpt2`;
  try {
    expect(await refusal(url)).toMatch(/HTML/);
  } finally {
    server.close();
  }
});
