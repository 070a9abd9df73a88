import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { type GPT2Config, HubError, loadConfig, ModelFormatError, modelSource, OptionError } from "@gpt2-ts/gpt2";
import type { DownloadOptions, WeightChoice } from "@gpt2-ts/gpt2/node";
import { displayUrl } from "safetensors-ts/transport";
import { progressReporter } from "./download.ts";
import { createProgress } from "./progress.ts";
import { useProxy } from "./proxy.ts";

/** The package that is the shipped model. In the repository it is weights/stories. */
const SHIPPED = "@gpt2-ts/stories";
/** The environment variable that names the model where `--model` does not. */
export const MODEL_VARIABLE = "GPT2_MODEL";

const CONFIG = "config.json";

/** What names a model on the command line. */
export interface ModelChoice {
  readonly model?: string;
  /** Of a model on the hub. */
  readonly revision?: string;
}

export interface FindOptions {
  /** The formats of weights that will do, the best first. Default: safetensors. */
  readonly weights?: readonly WeightChoice[];
  /** Throws for a model of the hub that is of no use; called with its config before the rest is downloaded. */
  readonly accept?: (config: GPT2Config) => void | Promise<void>;
}

/**
 * The folder of a model: the shipped one, the folder of that path, or else the model of that name on the Hugging Face
 * Hub, which is downloaded unless it is in the cache. `http(s)` and `file` URLs of a folder are used as they are.
 *
 * @throws ModelFormatError if there is no such folder; OptionError for a revision of something else than a model on the hub;
 *   HubError
 */
export async function findModel(
  { model, revision }: ModelChoice,
  signal: AbortSignal,
  { weights = ["safetensors"], accept }: FindOptions = {},
): Promise<string> {
  useProxy();
  const place = await localPlace(model);
  if (place !== undefined && revision !== undefined) {
    throw new OptionError(
      "revision",
      `${displayModel(place)} is no model of the Hugging Face Hub, which alone has revisions`,
    );
  }
  if (place !== undefined) return place;
  if (accept) {
    const folder = await download(model!, signal, [{ revision, files: [CONFIG] }]);
    await accept(await loadConfig(await modelSource(folder)));
  }
  const choices = weights.map((format) => ({ revision, weights: format }));
  return download(model!, signal, choices);
}

/** What messages call a model: a path or name as it is, a URL without what may be secret. */
export function displayModel(model: string): string {
  return /^https?:/i.test(model) ? displayUrl(model) : model;
}

/** Where a model is that is not on the hub: a path or URL; undefined for one that is. */
async function localPlace(model: string | undefined): Promise<string | undefined> {
  if (model === undefined) return shippedModel();
  // A file is handed on too: who opens it as a folder says what it is.
  if (/^(https?|file):/i.test(model) || (await stat(model).catch(() => undefined))) return model;
  if (await isMeantAsPath(model)) throw new ModelFormatError(model, `there is no such folder${origin(model)}`);
  return undefined;
}

/** @param choices what to download, the best first: the next one is for a model without such weights */
async function download(model: string, signal: AbortSignal, choices: readonly DownloadOptions[]): Promise<string> {
  const progress = createProgress("bytes");
  try {
    const { downloadModel } = await import("@gpt2-ts/gpt2/node");
    const onProgress = progressReporter(progress, model);
    const fetchFirst = async ([choice, ...others]: readonly DownloadOptions[]): Promise<string> => {
      try {
        return (await downloadModel(model, { ...choice, preferCached: true, signal, onProgress })).folder;
      } catch (error) {
        const isMissing = error instanceof HubError && error.code === "no-safetensors";
        if (!isMissing || others.length === 0) throw error;
        return fetchFirst(others);
      }
    };
    return await fetchFirst(choices);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(
      `${model}: there is no such folder${origin(model)}, and from the hub: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  } finally {
    progress.stop();
  }
}

/** Whoever set the variable long ago is told where the name comes from. */
function origin(model: string): string {
  return model === process.env[MODEL_VARIABLE] ? ` (${MODEL_VARIABLE} names it)` : "";
}

function shippedModel(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${SHIPPED}/config.json`));
  } catch (cause) {
    const message = "the shipped model is not installed: npm install it, or name another one with --model";
    throw new ModelFormatError(SHIPPED, message, undefined, { cause });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Whether a name cannot be a model on the hub, and so is a path to something that does not exist. A revision may follow the name. */
async function isMeantAsPath(model: string): Promise<boolean> {
  const [name = ""] = model.split("@");
  if (/^[./~]|[\\:]|\/$|\/.*\//.test(name)) return true;
  const [first, second] = name.split("/");
  return second !== undefined && isFolder(first!);
}
