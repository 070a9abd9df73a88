import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ModelFormatError } from "@gpt2-ts/gpt2";
import { progressReporter } from "./download.ts";
import { createProgress } from "./progress.ts";

/** Where the repository keeps the model it ships. */
const SHIPPED = new URL("../../../weights/shakespeare", import.meta.url);

/**
 * The folder of a model: the shipped one, the folder of that path, or else the model of that name on the Hugging Face
 * Hub, which is downloaded unless it is in the cache. `http(s)` and `file` URLs of a folder are used as they are.
 *
 * @param files what is needed of a model on the hub, if not everything
 * @throws ModelFormatError if there is no such folder; HubError
 */
export async function findModel(
  model: string | undefined,
  signal: AbortSignal,
  files?: readonly string[],
): Promise<string> {
  if (model === undefined) return shippedModel();
  // A file is handed on too: who opens it as a folder says what it is.
  if (/^(https?|file):/i.test(model) || (await stat(model).catch(() => undefined))) return model;
  if (await isMeantAsPath(model)) throw new ModelFormatError(model, "there is no such folder");
  const progress = createProgress("bytes");
  try {
    const { downloadModel } = await import("@gpt2-ts/gpt2/node");
    const onProgress = progressReporter(progress, model);
    return (await downloadModel(model, { preferCached: true, files, signal, onProgress })).folder;
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${model}: there is no such folder, and from the hub: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    progress.stop();
  }
}

async function shippedModel(): Promise<string> {
  const folder = fileURLToPath(SHIPPED);
  if (await isFolder(folder)) return folder;
  throw new ModelFormatError(folder, "the shipped model is not there: name one with --model");
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Whether a name cannot be a model on the hub, and so is a path to something that does not exist. */
async function isMeantAsPath(model: string): Promise<boolean> {
  if (/^[./~]|[\\:]|\/$|\/.*\//.test(model)) return true;
  const [first, second] = model.split("/");
  return second !== undefined && isFolder(first!);
}
