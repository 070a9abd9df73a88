import type { ModelSource } from "./source.ts";

/** Weights in formats that are recognised, and not read. */
const OTHER_FORMATS: readonly (readonly [ending: RegExp, name: string])[] = [
  [/\.gguf$/i, "GGUF"],
  [/\.onnx$/i, "ONNX"],
  [/\.h5$/i, "TensorFlow's format"],
  [/\.msgpack$/i, "Flax's format"],
  [/\.ot$/i, "Rust's format"],
  [/\.ckpt(?:\.(?:index|meta|data-.+))$/i, "TensorFlow's format"],
];
const TORCH = /\.(?:bin|pt|pth|ckpt)$/i;
/** What trainers write beside the weights. */
const NO_WEIGHTS = /^(?:training_args|optimizer|scheduler|scaler|rng_state.*)\.(?:bin|pt|pth)$/;
const TORCH_FILES = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/** Whether PyTorch may have written a file of this name. */
export function isTorchFile(name: string): boolean {
  return TORCH.test(name);
}

/** The format of weights that are not read, by the file's name. */
export function otherFormat(name: string): string | undefined {
  return OTHER_FORMATS.find(([ending]) => ending.test(name))?.[1];
}

/** What to do about a folder without safetensors, as far as its files are known. */
export async function adviceFor(source: ModelSource): Promise<string | undefined> {
  const names = (await source.names?.()) ?? [];
  if (names.some((name) => /^\..+\.converting$/.test(name))) {
    return `a conversion into it did not end: run gpt2 convert --out ${source.name} again`;
  }
  const standard = TORCH_FILES.find((name) => names.includes(name));
  if (standard) return `its ${standard} can be converted: gpt2 convert --model ${source.name} --out NEW_FOLDER`;
  const torch = names.find((name) => isTorchFile(name) && !NO_WEIGHTS.test(name));
  if (torch)
    return `its ${torch} can perhaps be converted: gpt2 convert --model ${source.path(torch)} --out NEW_FOLDER`;
  const safetensors = names.find((name) => /\.safetensors(\.index\.json)?$/.test(name));
  if (safetensors) return `it has ${safetensors}: rename it`;
  const other = names.find((name) => otherFormat(name));
  return other && `its ${other} is in ${otherFormat(other)}, which is not read`;
}
