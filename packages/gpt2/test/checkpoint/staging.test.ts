import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertModel } from "../../src/checkpoint/convert/convert.ts";
import { loadModel } from "../../src/checkpoint/load.ts";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { HOST } from "../../src/process-owner.ts";

const shipped = fileURLToPath(new URL("../../../../weights/shakespeare", import.meta.url));
const PARTS = ["config.json", "merges.txt", "model.safetensors", "vocab.json"];

/** The number of a process that has ended. */
const { pid: DEAD } = spawnSync(process.execPath, ["-e", ""]);

let room: string;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), "gpt2-staging-"));
});
afterAll(() => rm(room, { recursive: true }));

const convert = async (out: string, overwrite = false, dtype: "bf16" | "int8" = "bf16"): Promise<void> =>
  convertModel(await modelSource(shipped), out, { dtype, overwrite });

/** What a conversion of a process calls its temporary folder. */
const stagingName = (out: string, pid: number, host = HOST): string =>
  `.${basename(out)}.${host}-${pid}-00000000000001-0123abcd.converting`;

async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const files = names.map(async (name) => [name, (await readFile(join(folder, name))).toString("latin1")] as const);
  return Object.fromEntries(await Promise.all(files));
}

describe("a conversion that was killed", () => {
  it("leaves a temporary folder that the next one removes, beside the folder and in it", async () => {
    const out = join(room, "killed");
    await mkdir(join(room, stagingName(out, DEAD)));
    await writeFile(join(room, stagingName(out, DEAD), "model.safetensors"), "half");
    const other = join(room, stagingName(join(room, "other"), DEAD));
    await mkdir(other);
    await convert(out);
    expect((await readdir(room)).filter((name) => name.startsWith("."))).toEqual([basename(other)]);
    await rm(other, { recursive: true });
    await mkdir(join(out, stagingName(out, DEAD)));
    await convert(out, true);
    expect((await readdir(out)).sort()).toEqual(PARTS);
    expect((await readdir(room)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("while it exchanged files is finished by the next one; until then nobody takes the folder for a model", async () => {
    const fresh = join(room, "fresh");
    await convert(fresh);
    const wanted = await contents(fresh);
    const remove = ["model.safetensors", "tokenizer.json"];
    const place = ["config.json", "vocab.json", "merges.txt", "model.safetensors"];
    for (let steps = 0; steps <= remove.length + place.length; steps++) {
      const out = join(room, `exchange${steps}`);
      await mkdir(out);
      for (const name of PARTS) await writeFile(join(out, name), `{"the old": "${name}"}`);
      await writeFile(join(out, "tokenizer.json"), "old");
      const staging = join(out, stagingName(out, DEAD));
      await cp(fresh, staging, { recursive: true });
      await writeFile(join(staging, "exchange.json"), JSON.stringify({ remove, place }));
      for (const name of remove.slice(0, steps)) await rm(join(out, name));
      for (const name of place.slice(0, Math.max(0, steps - remove.length))) {
        await rename(join(staging, name), join(out, name));
      }
      if (steps > 0 && steps < remove.length + place.length) {
        await expect(loadModel(await modelSource(out))).rejects.toThrow(
          steps > remove.length ? "a conversion into it did not end: run gpt2 convert --out" : /./,
        );
      }
      await expect(convert(out)).rejects.toThrow("exists; overwrite would replace it");
      expect(await contents(out)).toEqual(wanted);
    }
  });
});

describe("a conversion into a folder with another model", () => {
  it("takes the files of that model away that would be read with the new ones", async () => {
    const out = join(room, "mixed");
    await mkdir(out);
    for (const name of PARTS) await copyFile(join(shipped, name), join(out, name));
    const stale = ["tokenizer.json", "added_tokens.json", "generation_config.json", "model.safetensors.index.json"];
    for (const name of [...stale, "notes.txt"]) await writeFile(join(out, name), "{}");
    await writeFile(join(out, "merges.txt"), "#version: 0.2\n");
    await convert(out, true);
    expect((await readdir(out)).sort()).toEqual([...PARTS, "notes.txt"].sort());
    expect(await readFile(join(out, "merges.txt"), "utf8")).toBe(await readFile(join(shipped, "merges.txt"), "utf8"));
  });

  it("refuses to stand beside such files unless it may replace them", async () => {
    const out = join(room, "beside");
    await mkdir(out);
    await writeFile(join(out, "tokenizer.json"), "{}");
    await expect(convert(out)).rejects.toThrow(`${join(out, "tokenizer.json")} exists; overwrite would replace it`);
    expect(await readdir(out)).toEqual(["tokenizer.json"]);
  });
});

describe("two conversions into one folder", () => {
  it.each([false, true])(
    "do not mix: the later one says that another is running (folder exists: %s)",
    async (exists) => {
      const out = join(room, `parallel-${exists}`);
      if (exists) await convert(out);
      const source = await modelSource(shipped);
      let later: Promise<unknown> | undefined;
      await convertModel(source, out, {
        dtype: "int8",
        overwrite: true,
        onProgress: () => {
          later ??= convert(out, true).then(
            () => "done",
            (error: Error) => error.message,
          );
        },
      });
      expect(await later).toBe(`out: another conversion into ${out} is running (process ${process.pid})`);
      expect((await readdir(out)).sort()).toEqual(PARTS);
      expect((await readdir(room)).filter((name) => name.startsWith("."))).toEqual([]);
      expect((await readFile(join(out, "model.safetensors"))).includes('"gpt2-ts.dtype":"int8"')).toBe(true);
    },
  );

  it("do not mix when the other one runs on another machine, as far as anybody can tell: it wrote a moment ago", async () => {
    const out = join(room, "shared");
    const staging = join(room, stagingName(out, 7, "0a1b2c3d"));
    await mkdir(staging);
    await expect(convert(out)).rejects.toThrow("is running (process 7)");
    const long = new Date(Date.now() - 3_600_000);
    await utimes(staging, long, long);
    await convert(out);
    expect((await readdir(room)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("leave a folder that somebody else has made meanwhile", async () => {
    const out = join(room, "meanwhile");
    const converting = convertModel(await modelSource(shipped), out, {
      dtype: "int8",
      onProgress: () => {
        mkdirSync(out, { recursive: true });
        writeFileSync(join(out, "mine"), "mine");
      },
    });
    await expect(converting).rejects.toThrow(
      /was made by another program meanwhile, and is left to it \((ENOTEMPTY|EEXIST|EPERM)\)/,
    );
    expect(await readdir(out)).toEqual(["mine"]);
    expect((await readdir(room)).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
