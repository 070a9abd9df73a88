// What is checked of the models that a browser keeps. Arguments and results are JSON.
import { type FromPretrainedOptions, GPT2, HubError } from "@gpt2-ts/gpt2";
import {
  type CachedModel,
  type CachedModelFilter,
  deleteCachedModels,
  listCachedModels,
  watchCachedModels,
} from "@gpt2-ts/gpt2/browser-cache";
import { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import { fingerprint } from "./compare.ts";

export interface Visit extends Pick<FromPretrainedOptions, "endpoint" | "dtype" | "revision" | "cache" | "offline"> {
  readonly name: string;
  /** The download is stopped once so many bytes have come. */
  readonly stopAfter?: number;
}

/** Loads a model by its name: what was reported, what the user was told, and the bits of its logits, or the error. */
export async function visit({ name, stopAfter = Number.POSITIVE_INFINITY, ...options }: Visit) {
  const events: Record<string, number> = {};
  const warnings: string[] = [];
  let resumed: number | undefined;
  const controller = new AbortController();
  try {
    using model = await GPT2.fromPretrained(name, {
      ...options,
      deterministic: true,
      threads: 1,
      signal: controller.signal,
      onWarning: (warning) => warnings.push(warning),
      onProgress: (event) => {
        events[event.type] = (events[event.type] ?? 0) + 1;
        if (event.type === "resume") resumed = event.loaded;
        if (event.type === "bytes" && event.overall.loaded >= stopAfter) controller.abort();
      },
    });
    using logits = model.logits("To be, or not to be");
    return { events, warnings, resumed, bits: await fingerprint(await logits.data()) };
  } catch (error) {
    const { name, message } = error as Error;
    const { code, needed, available } = error instanceof HubError ? error : {};
    return { events, warnings, resumed, error: { name, message, code, needed, available } };
  }
}

/** The same in two workers of the page at once: to storage and locks they are what two tabs are. */
export async function twoVisits(of: Visit) {
  const inWorker = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker("worker.js", { type: "module" });
      worker.onmessage = ({ data }) => {
        worker.terminate();
        if ("failure" in data) reject(new Error(data.failure));
        else resolve(data.result);
      };
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage({ id: 0, name: "visit", args: [of] });
    });
  return Promise.all([inWorker(), inWorker()]) as Promise<Awaited<ReturnType<typeof visit>>[]>;
}

/** Stops a download of a worker, which ends then: what a page that watches finds when it is told that something has changed. */
export async function stoppedInWorker({ name, stopAfter = 0, endpoint }: Visit) {
  const controller = new AbortController();
  let stop = (): void => {};
  const found = new Promise<CachedModel[]>((resolve, reject) => {
    stop = watchCachedModels(() => void listCachedModels().then(resolve, reject));
  });
  try {
    await GPT2Worker.fromPretrained(name, {
      endpoint,
      signal: controller.signal,
      onProgress: (event) => event.type === "bytes" && event.overall.loaded >= stopAfter && controller.abort("enough"),
    });
    throw new Error("it was not stopped");
  } catch (error) {
    if (error !== "enough") throw error;
    return await found;
  } finally {
    stop();
  }
}

/** As in a window that keeps nothing. */
export async function visitWithoutStorage(of: Visit) {
  Object.defineProperty(navigator, "storage", { value: undefined, configurable: true });
  try {
    return await visit(of);
  } finally {
    Reflect.deleteProperty(navigator, "storage");
  }
}

export const kept = () => listCachedModels();

export const deleteKept = (filter: CachedModelFilter) => deleteCachedModels(filter);
