import type { DownloadProgress } from "@gpt2-ts/gpt2";
import { Command } from "commander";
import { interruptible } from "./interruption.ts";
import { writeNote, writeOut } from "./output.ts";
import { createProgress, formatBytes, type ProgressDisplay } from "./progress.ts";
import { useProxy } from "./proxy.ts";

interface DownloadFlags {
  readonly revision?: string;
  readonly bin?: true;
  readonly cacheDir?: string;
  readonly offline?: true;
}

/**
 * `gpt2 download NAME`: the snapshot's folder on standard output, progress on standard error.
 *
 * Rejects with a HubError, whose message is one line, for the caller to print.
 */
export function downloadCommand(): Command {
  return new Command("download")
    .description("download a model from the Hugging Face Hub and print the folder it is in")
    .argument("<name>", 'the model: "gpt2", "org/name" or "org/name@revision"')
    .option("--revision <revision>", "a branch, a tag or a commit (default: main)")
    .option("--bin", "its pytorch_model.bin instead of safetensors, for gpt2 convert")
    .option("--cache-dir <folder>", "where models are kept (default: the cache of huggingface_hub)")
    .option("--offline", "only look into the cache (HF_HUB_OFFLINE)")
    .addHelpText(
      "after",
      "\nHF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_HUB_OFFLINE and HTTPS_PROXY are honoured." +
        "\nAn interrupted download is continued by running the command again.",
    )
    .action((name: string, flags: DownloadFlags) => interruptible((signal) => download(name, flags, signal)));
}

async function download(name: string, flags: DownloadFlags, signal: AbortSignal): Promise<void> {
  useProxy();
  const progress = createProgress("bytes");
  try {
    const { downloadModel } = await import("@gpt2-ts/gpt2/node"); // slow to load, and most commands do not need it
    const { revision, cacheDir, offline } = flags;
    const weights = flags.bin ? "pytorch" : "safetensors";
    const onProgress = progressReporter(progress, name);
    const model = await downloadModel(name, { revision, weights, cacheDir, offline, signal, onProgress });
    progress.stop();
    if (model.fallback !== undefined) {
      writeNote(`note: using the copy in the cache, as ${model.fallback.message}\n`);
    }
    if (!model.files.some(({ downloaded }) => downloaded)) writeNote("already in the cache\n");
    await writeOut(`${model.folder}\n`);
  } catch (error) {
    progress.stop();
    if (signal.aborted) writeNote("interrupted; run the same command again to continue\n");
    throw error;
  }
}

/** Shows a download's events, for other commands that download a model too. */
export function progressReporter(display: ProgressDisplay, name: string): (progress: DownloadProgress) => void {
  return (progress) => {
    switch (progress.type) {
      case "start":
        display.note(`${name} at ${progress.commit.slice(0, 12)}: ${formatBytes(progress.total)}`);
        display.start(progress.total);
        break;
      case "bytes":
        display.update(progress.overall.loaded, progress.file);
        break;
      case "resume":
        display.note(`${progress.file}: continuing after ${formatBytes(progress.loaded)}`);
        break;
      case "retry": {
        const seconds = (progress.delay / 1000).toFixed(1);
        display.note(`${progress.file}: ${progress.error.message}; trying again in ${seconds} s`);
        break;
      }
      case "done":
        display.stop();
        break;
      case "file":
      case "verify":
        break;
    }
  };
}
