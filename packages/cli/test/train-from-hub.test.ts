import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelFiles, useHub } from "../../gpt2/test/hub/hub-fixture.ts";
import { gpt2, type Run } from "./support/cli.ts";

const hub = useHub();
const WEIGHTS = "model.safetensors";
const MEDIUM = '{"model_type":"gpt2","n_embd":1024,"n_layer":24,"n_head":16}';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpt2-train-from-hub-"));
  await writeFile(join(folder, "text.txt"), "Some words to learn from. ".repeat(400));
});
afterAll(() => rm(folder, { recursive: true }));

function train(...flags: string[]): Promise<Run> {
  const env = { HF_ENDPOINT: hub.server.url, NO_PROXY: "127.0.0.1" };
  return gpt2(["train", "--model", "org/name", "--text", "text.txt", "--out", "out", ...flags], { cwd: folder, env });
}

describe("gpt2 train from a model of the hub", () => {
  it.each<[string, readonly string[], RegExp]>([
    ["too large a model", [], /: wasm: training this model takes about 7\.\d GB .*; freeze layers, or compute fewer/],
    ["a text that is not there", ["--text", "nowhere.txt"], /: --text: there is no file nowhere\.txt/],
    ["a name of no weight", ["--freeze", "h.24.*"], /: --freeze: no weight is called "h\.24\.\*"/],
    ["the shape of another model", ["--layers", "2"], /: --layers: is for a model that is made; this one is given/],
  ])("%s is told by its config, before anything else is downloaded", async (_, flags, message) => {
    hub.server.commit("org/name", { ...modelFiles(), "config.json": MEDIUM });
    const { status, stdout, stderr } = await train(...flags);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr.split("\n").at(-2)).toMatch(message);
    expect(hub.server.transfers("config.json")).toHaveLength(1);
    for (const file of [WEIGHTS, "vocab.json", "merges.txt"]) expect(hub.server.transfers(file), file).toEqual([]);
    expect(await readdir(folder)).toEqual(["text.txt"]);
  });

  it("is downloaded where it is not: here as far as weights that are none", async () => {
    hub.server.commit("org/name", { ...modelFiles(), "config.json": MEDIUM });
    const { status, stderr } = await train("--device", "reference");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^100% \(300 kB of 300 kB\) model\.safetensors$/m);
    expect(hub.server.transfers("config.json")).toHaveLength(1);
  });
});
