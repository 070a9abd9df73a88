import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { HubError, ModelFormatError, OptionError } from "@gpt2-ts/gpt2";
import type { WeightChoice } from "@gpt2-ts/gpt2/node";
import { displayUrl } from "safetensors-ts/transport";
import { progressReporter } from "./download.ts";
import { createProgress } from "./progress.ts";
import { useProxy } from "./proxy.ts";

/** The package that is the shipped model. In the repository it is weights/stories. */
const SHIPPED = "@gpt2-ts/stories";
/** The environment variable that names the model where `--model` does not. */
export const MODEL_VARIABLE = "GPT2_MODEL";

/** What names a model on the command line. */
export interface ModelChoice {
  readonly model?: string;
  /** Of a model on the hub. */
  readonly revision?: string;
}

/**
 * The folder of a model: the shipped one, the folder of that path, or else the model of that name on the Hugging Face
 * Hub, which is downloaded unless it is in the cache. `http(s)` and `file` URLs of a folder are used as they are.
 *
 * @param weights the formats of weights that will do, the best first
 * @throws ModelFormatError if there is no such folder; OptionError for a revision of something else than a model on the hub;
 *   HubError
 */
export async function findModel(
  { model, revision }: ModelChoice,
  signal: AbortSignal,
  weights: readonly WeightChoice[] = ["safetensors"],
): Promise<string> {
  useProxy();
  const place = await localPlace(model);
  if (place !== undefined && revision !== undefined) {
    throw new OptionError(
      "revision",
      `${displayModel(place)} is no model of the Hugging Face Hub, which alone has revisions`,
    );
  }
  return place ?? download(model!, revision, signal, weights);
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

async function download(
  model: string,
  revision: string | undefined,
  signal: AbortSignal,
  formats: readonly WeightChoice[],
): Promise<string> {
  const progress = createProgress("bytes");
  try {
    const { downloadModel } = await import("@gpt2-ts/gpt2/node");
    const onProgress = progressReporter(progress, model);
    const fetchFirst = async ([weights, ...others]: readonly WeightChoice[]): Promise<string> => {
      try {
        return (await downloadModel(model, { revision, preferCached: true, weights, signal, onProgress })).folder;
      } catch (error) {
        const isMissing = error instanceof HubError && error.code === "no-safetensors";
        if (!isMissing || others.length === 0) throw error;
        return fetchFirst(others);
      }
    };
    return await fetchFirst(formats);
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
