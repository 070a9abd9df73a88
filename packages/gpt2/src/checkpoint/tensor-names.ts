import { showName } from "@gpt2-ts/tensor/options";
import { ModelFormatError } from "../errors.ts";
import type { Checkpoint } from "./open-checkpoint.ts";
import { scalesName } from "./quantization.ts";

/** What wrappers put before the names of a state dict: the Hub's, `torch.compile`'s, `DataParallel`'s; in any order. */
const prefixes = /^(?:transformer\.|_orig_mod\.|module\.)+/;
export const TOKEN_TABLE = "wte.weight";
export const OUTPUT_TABLE = "lm_head.weight";
const A_QKV_MATRIX = "h.0.attn.c_attn.weight";

/**
 * What the tensors of a checkpoint are called in it, by their names without prefixes.
 *
 * @throws ModelFormatError for two tensors of one name
 */
export function storedNames({ path, tensors }: Checkpoint): Map<string, string> {
  const names = new Map<string, string>();
  for (const storedAs of tensors.names) {
    const name = storedAs.replace(prefixes, "");
    const other = names.get(name);
    if (other !== undefined) {
      const both = `${showName(other)} and ${showName(storedAs)}`;
      throw new ModelFormatError(path, `tensors ${both} are both ${showName(name)}, without prefixes`, storedAs);
    }
    names.set(name, storedAs);
  }
  return names;
}

/** Of two tables that are one, the checkpoint may hold either: `safetensors` keeps that whose name comes first. */
export function findTiedTable(names: Map<string, string>): void {
  for (const [table, output] of [
    [TOKEN_TABLE, OUTPUT_TABLE],
    [scalesName(TOKEN_TABLE), scalesName(OUTPUT_TABLE)],
  ] as const) {
    const storedAs = names.get(output);
    if (names.has(table) || storedAs === undefined) continue;
    names.set(table, storedAs);
    names.delete(output);
  }
}

/** Throws {@link ModelFormatError} for a checkpoint of nanoGPT, whose matrices are `[out, in]`: as such they would be misread. */
export async function refuseNanoGPT({ path, tensors }: Checkpoint, names: ReadonlyMap<string, string>): Promise<void> {
  const storedAs = names.get(A_QKV_MATRIX);
  if (storedAs === undefined) return;
  const { shape } = await tensors.info(storedAs);
  if (shape.length !== 2 || shape[0] !== 3 * shape[1]!) return;
  throw new ModelFormatError(
    path,
    `tensor ${showName(storedAs)} is [${shape.join(", ")}]: this is nanoGPT's layout; ` +
      "convert it: gpt2 convert --from nanogpt --model FOLDER --out NEW_FOLDER",
    storedAs,
  );
}
