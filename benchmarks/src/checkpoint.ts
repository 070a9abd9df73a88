/** The synthetic checkpoints as model folders, each tensor checked against the SHA-256 that the reference names. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { open, type TensorInput, writeFile as writeSafetensors } from "safetensors-ts";
import { CACHE, REFERENCE, SHAKESPEARE, STORIES } from "./paths.ts";
import {
  SYNTHETIC_NAMES,
  type SyntheticConfig,
  type SyntheticName,
  syntheticConfig,
  syntheticTensors,
} from "./synthetic.ts";

const TRAINED = { shakespeare: SHAKESPEARE, stories: STORIES } as const;

/** The models that there are reference logits of. */
export type ModelName = SyntheticName | keyof typeof TRAINED;
export const MODEL_NAMES: readonly ModelName[] = [...SYNTHETIC_NAMES, "shakespeare", "stories"];

/** What `reference/<name>.json` says about a checkpoint. */
export interface Manifest {
  readonly config: SyntheticConfig;
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
}

/** A checkpoint whose bytes are not the documented ones. */
export class ChecksumError extends Error {
  override readonly name = "ChecksumError";
  readonly checkpoint: string;
  readonly tensor: string;

  constructor(checkpoint: string, tensor: string, detail: string) {
    super(`${checkpoint}: ${tensor}: ${detail}`);
    this.checkpoint = checkpoint;
    this.tensor = tensor;
  }
}

export async function readManifest(name: SyntheticName): Promise<Manifest> {
  return JSON.parse(await readFile(join(REFERENCE, `${name}.json`), "utf8"));
}

/**
 * Builds a checkpoint in memory and compares every shape and hash.
 *
 * @throws ChecksumError at the first tensor that differs, is missing or is not in the manifest.
 */
export function verifiedTensors(name: SyntheticName, manifest: Manifest): Map<string, TensorInput<Float32Array>> {
  const tensors = new Map<string, TensorInput<Float32Array>>();
  for (const { name: tensor, shape, data } of syntheticTensors(name)) {
    const expected = manifest.tensors[tensor];
    if (expected === undefined) throw new ChecksumError(name, tensor, "the manifest does not list it");
    checkTensor(name, tensor, expected, shape, data);
    tensors.set(tensor, { dtype: "F32", shape, data });
  }
  const missing = Object.keys(manifest.tensors).find((tensor) => !tensors.has(tensor));
  if (missing !== undefined) throw new ChecksumError(name, missing, "the checkpoint does not have it");
  return tensors;
}

/**
 * The folder of a checkpoint (`config.json`, `model.safetensors`), rebuilt unless an earlier run left it there with the
 * right bytes: the hashes are checked either way.
 *
 * @throws ChecksumError when the formula does not give the documented bytes.
 */
export async function ensureCheckpoint(name: SyntheticName): Promise<string> {
  const folder = join(CACHE, name);
  const file = join(folder, "model.safetensors");
  const manifest = await readManifest(name);
  if (existsSync(file) && (await hasDocumentedBytes(name, file, manifest))) return folder;
  const tensors = verifiedTensors(name, manifest);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), `${JSON.stringify(syntheticConfig(name), null, 2)}\n`);
  await writeSafetensors(file, tensors);
  return folder;
}

/** The folder of a model that there are reference logits of. */
export async function modelFolder(name: ModelName): Promise<string> {
  return isSynthetic(name) ? ensureCheckpoint(name) : TRAINED[name];
}

export function isSynthetic(name: ModelName): name is SyntheticName {
  return SYNTHETIC_NAMES.some((synthetic) => synthetic === name);
}

/** Bytes of all weights of a checkpoint. */
export function weightBytes(manifest: Manifest): number {
  const sizes = Object.values(manifest.tensors).map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  return sizes.reduce((sum, size) => sum + size, 0) * Float32Array.BYTES_PER_ELEMENT;
}

async function hasDocumentedBytes(name: SyntheticName, file: string, manifest: Manifest): Promise<boolean> {
  try {
    await using weights = await open(file);
    for (const [tensor, expected] of Object.entries(manifest.tensors)) {
      const { shape } = weights.info(tensor);
      checkTensor(name, tensor, expected, shape, await weights.readFloat32(tensor));
    }
    return true;
  } catch {
    return false; // written by an older or interrupted run: rebuild it
  }
}

function checkTensor(
  checkpoint: string,
  tensor: string,
  expected: { readonly shape: readonly number[]; readonly sha256: string },
  shape: readonly number[],
  data: Float32Array,
): void {
  if (expected.shape.join() !== shape.join()) {
    throw new ChecksumError(checkpoint, tensor, `shape [${shape}] where [${expected.shape}] was expected`);
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== expected.sha256) {
    throw new ChecksumError(checkpoint, tensor, `SHA-256 ${sha256} where ${expected.sha256} was expected`);
  }
}
