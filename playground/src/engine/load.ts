import type { LoadProgress, PretrainedProgress } from "@gpt2-ts/gpt2";
import { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import { batch } from "@preact/signals";
import { megabytes } from "../format.ts";
import {
  applied,
  failure,
  info,
  linkedDtype,
  linkedHub,
  linkedModel,
  loading,
  type ModelChoice,
  offer,
  session,
  speed,
} from "../state.ts";
import { announce } from "./announce.ts";
import { fetchFolder } from "./fetch-folder.ts";
import { SHIPPED } from "./shipped.ts";

/** What a model is called on the page. */
export function titleOf(choice: ModelChoice): string {
  return choice.from === "hub" ? choice.name : choice.title;
}

let latest: AbortController | undefined;

/** Loads a model. The one that is there stays in use until then; if this one does not come, `failure` says why. */
export async function open(choice: ModelChoice): Promise<void> {
  latest?.abort();
  const controller = new AbortController();
  latest = controller;
  const { signal } = controller;
  const title = titleOf(choice);
  const cancel = (): void => controller.abort();
  const tell = (phase: string, share: number | undefined, detail = ""): void => {
    if (!signal.aborted) loading.value = { choice, title, phase, share, detail, cancel };
  };
  const began = performance.now();
  const warnings: string[] = [];
  failure.value = undefined;
  tell("Opening", undefined);
  try {
    const model = await loaded(choice, { signal, tell, onWarning: (warning) => void warnings.push(warning) });
    if (signal.aborted) {
      model.dispose();
      return;
    }
    const runsOn = await model.info();
    const before = session.peek()?.model;
    batch(() => {
      applied.value = [];
      info.value = runsOn;
      speed.value = {};
      session.value = { model, choice, title, warnings, loadTime: performance.now() - began };
      if (before !== undefined || choice.from !== "page") offer.value = undefined;
      if (offer.value === undefined) nameInAddress(choice);
    });
    before?.dispose();
    announce(`${title} is loaded.`);
  } catch (error) {
    if (!signal.aborted) {
      failure.value = { choice, title, error: error as Error };
      announce(`${title} could not be loaded.`);
    }
  } finally {
    if (latest === controller) loading.value = undefined;
  }
}

/** The model that a link asked for is not wanted. */
export function decline(): void {
  offer.value = undefined;
  const running = session.peek();
  if (running) nameInAddress(running.choice);
}

/** A link that is made from now on asks for this model. */
function nameInAddress(choice: ModelChoice): void {
  const isOther = choice.from === "page" && choice.folder !== SHIPPED[0]!.folder;
  linkedModel.value = choice.from === "hub" ? choice.name : isOther ? choice.folder : undefined;
  linkedHub.value = choice.from === "hub" ? choice.endpoint : undefined;
  if (choice.from === "hub") linkedDtype.value = choice.dtype;
}

interface LoadingListener {
  readonly signal: AbortSignal;
  readonly tell: (phase: string, share: number | undefined, detail?: string) => void;
  readonly onWarning: (warning: string) => void;
}

/** The same bits on every machine, so that a link shows what its sender saw, to the last digit. */
const deterministic = true;

async function loaded(choice: ModelChoice, { signal, tell, onWarning }: LoadingListener): Promise<GPT2Worker> {
  const onProgress = ({ loaded, total }: LoadProgress): void => tell("Loading", loaded / total);
  switch (choice.from) {
    case "page": {
      const files = await fetchFolder(new URL(`models/${choice.folder}/`, document.baseURI), signal, (loaded, total) =>
        tell("Downloading", total && loaded / total, megabytes(loaded)),
      );
      return GPT2Worker.load(files, { deterministic, onProgress, onWarning, signal });
    }
    case "files":
      return GPT2Worker.load(choice.files, { dtype: choice.dtype, deterministic, onProgress, onWarning, signal });
    case "hub": {
      const { name, dtype, endpoint, offline, keep: cache } = choice;
      return GPT2Worker.fromPretrained(name, {
        ...{ dtype, endpoint, offline, cache, deterministic, onWarning, signal },
        onProgress: (event) => tellPretrained(event, tell),
      });
    }
  }
}

function tellPretrained(event: PretrainedProgress, tell: LoadingListener["tell"]): void {
  switch (event.type) {
    case "bytes": {
      const { loaded, total } = event.overall;
      tell("Downloading", loaded / total, `${megabytes(loaded)} of ${megabytes(total)}`);
      break;
    }
    case "verify":
      tell("Checking", undefined, event.file);
      break;
    case "retry":
      tell("The connection broke off; trying again", undefined, event.file);
      break;
    case "wait":
      tell("Waiting for another tab, which downloads the same model", undefined);
      break;
    case "convert":
      tell("Converting", event.done / event.total, `${megabytes(event.done)} of ${megabytes(event.total)}`);
      break;
    case "load":
      tell("Loading", event.loaded / event.total);
      break;
  }
}
