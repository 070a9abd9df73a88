/** Checkpoints as `gpt2 convert` writes them. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./paths.ts";
import { writeSyntheticVocabulary } from "./synthetic-tokenizer.ts";

const GPT2_COMMAND = join(REPOSITORY, "packages", "cli", "bin", "gpt2.js");

/** The folder that `gpt2 convert` makes of a checkpoint; made again if the checkpoint is newer. */
export async function convertedCheckpoint(folder: string, dtype: "bf16" | "int8"): Promise<string> {
  const out = `${folder}-${dtype}`;
  const made = join(out, "model.safetensors");
  if (existsSync(made) && statSync(made).mtimeMs >= statSync(join(folder, "model.safetensors")).mtimeMs) return out;
  await writeSyntheticVocabulary(folder);
  rmSync(out, { recursive: true, force: true });
  const args = [GPT2_COMMAND, "convert", "--dtype", dtype, "--model", folder, "--out", out];
  execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  return out;
}
