import type { Conversion } from "../checkpoint/convert/conversion.ts";
import type { ModelFiles } from "../checkpoint/source/index.ts";
import { HubConnection } from "../hub/connection.ts";
import { HubError } from "../hub/error.ts";
import { DEFAULT_ENDPOINT } from "../hub/file-url.ts";
import { COMMIT_PATTERN, checkModelName, checkRevision } from "../hub/names.ts";
import { askForCommit } from "../hub/page-listing.ts";
import { type RetryPolicy, withRetries } from "../hub/retry.ts";
import type { Located, LocateOptions } from "../located.ts";
import { warnOnConsole } from "../warning.ts";
import { convertKept } from "./convert-kept.ts";
import { fetchModel } from "./fetch-model.ts";
import { type KeptId, type Manifest, ModelStore } from "./model-store.ts";
import { type BrowserStorage, openStorage, writeError } from "./storage.ts";

/** Milliseconds without a byte until a connection is given up. */
const STALL_TIMEOUT = 30_000;
/** The same where a model that is kept will do instead. */
const PATIENCE = 5_000;
const POLICY: RetryPolicy = { retries: 5, delay: 500 };

export interface KeepOptions extends LocateOptions {
  /** What is to be made of the model, if it is not kept as it comes. */
  readonly conversion?: Conversion | undefined;
}

/** What tests choose. */
export interface KeepSettings {
  readonly storage?: BrowserStorage;
  readonly policy?: RetryPolicy;
}

/**
 * Finds a model in the browser's storage, or downloads it there. The hub is asked whether the branch has moved; where it cannot be
 * reached, what was there before will do. What is kept is converted, if that is asked for.
 *
 * @throws HubError `no-storage` where nothing can be kept, `disk-full`, `offline`, and those of a download; ModelFormatError;
 *   `signal.reason`
 */
export async function keepModel(
  name: string,
  options: KeepOptions,
  revision = "main",
  { storage, policy = POLICY }: KeepSettings = {},
): Promise<Located> {
  checkModelName(name);
  checkRevision(revision);
  const store = new ModelStore(storage ?? (await openStorage()));
  const endpoint = (options.endpoint ?? DEFAULT_ENDPOINT).replace(/\/+$/, "");
  const ref = `${endpoint} ${name} ${revision}`;
  const known = COMMIT_PATTERN.test(revision) ? revision : await store.readRef(ref);
  const connect = (stallTimeout: number) =>
    new HubConnection({
      endpoint,
      token: undefined,
      // What is kept needs no second place in the browser's own cache.
      fetch: (url, init) => globalThis.fetch(url, { ...init, cache: "no-store" }),
      stallTimeout,
      signal: options.signal,
    });
  const commit = await currentCommit({ name, revision, known, connect, policy }, options);
  const keeper = new Keeper(store, { name, commit }, connect(STALL_TIMEOUT), policy, options);
  const failed = (error: unknown) => writeError(store.storage, name, undefined, error, options.signal);
  const { files, release } = await keeper.files().catch(async (error: unknown) => {
    throw await failed(error);
  });
  try {
    const before = await store.writeRef(ref, commit);
    if (before !== undefined) await removeUnused(store, { name, commit: before });
    options.onProgress?.({ type: "done", commit });
    return { where: files, [Symbol.dispose]: release };
  } catch (error) {
    release();
    throw await failed(error);
  }
}

interface Asked {
  readonly name: string;
  readonly revision: string;
  /** The commit that the revision stood for before. */
  readonly known: string | undefined;
  readonly connect: (stallTimeout: number) => HubConnection;
  readonly policy: RetryPolicy;
}

async function currentCommit(
  { name, revision, known, connect, policy }: Asked,
  { offline, signal, onProgress }: LocateOptions,
): Promise<string> {
  if (known !== undefined && (offline || known === revision)) return known;
  if (offline) throw isOffline(`${name} (${revision})`);
  try {
    const connection = connect(known === undefined ? STALL_TIMEOUT : PATIENCE);
    return await withRetries(
      known === undefined ? policy : { ...policy, retries: 0 },
      signal,
      () => askForCommit(connection, name, revision),
      (notice) => onProgress?.({ type: "retry", file: name, ...notice }),
    );
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (known !== undefined && (error.transient || error.code === "unreachable")) return known;
    if (error.code !== "repo-not-found" || error.status !== 404) throw error;
    // A mirror that only serves files. Where a page is led, it does not see what a file's hash is.
    throw new HubError("no-storage", "the server does not list its files", { url: error.url, cause: error });
  }
}

/** Models that a branch stood for in earlier days are in the way of new ones. */
async function removeUnused(store: ModelStore, id: KeptId): Promise<void> {
  const release = await store.lock(id, "exclusive", undefined);
  if (release === undefined) return; // some tab still reads it
  try {
    await store.remove(id);
  } finally {
    release();
  }
}

function isOffline(what: string): HubError {
  return new HubError("offline", `${what} is not complete in this browser`, { hint: "offline was asked for" });
}

/** Sees to it that one variant of a model is there. */
class Keeper {
  readonly #store: ModelStore;
  readonly #id: KeptId;
  readonly #connection: HubConnection;
  readonly #policy: RetryPolicy;
  readonly #options: KeepOptions;

  constructor(store: ModelStore, id: KeptId, connection: HubConnection, policy: RetryPolicy, options: KeepOptions) {
    this.#store = store;
    this.#id = id;
    this.#connection = connection;
    this.#policy = policy;
    this.#options = options;
  }

  /** The files, which stay as they are until they are released. */
  async files(): Promise<{ readonly files: ModelFiles; readonly release: () => void }> {
    const { signal, onProgress } = this.#options;
    const onWait = () => onProgress?.({ type: "wait" });
    while (true) {
      const reading = (await this.#store.lock(this.#id, "shared", onWait, signal))!;
      const files = await this.#find().catch((error: unknown) => {
        reading();
        throw error;
      });
      if (files !== undefined) return { files, release: reading };
      reading();
      const writing = (await this.#store.lock(this.#id, "exclusive", onWait, signal))!;
      try {
        if ((await this.#find()) === undefined) await this.#make();
      } finally {
        writing();
      }
    }
  }

  /** The wanted variant, if it is there. */
  async #find(): Promise<ModelFiles | undefined> {
    const { conversion } = this.#options;
    const found = conversion && (await this.#store.files(this.#id, conversion.dtype));
    if (found !== undefined) return found.files;
    const original = await this.#store.files(this.#id, "original");
    if (original === undefined || original.manifest.onlyFor !== undefined) return undefined;
    return conversion === undefined || (await conversion.isDone(original.files)) ? original.files : undefined;
  }

  async #make(): Promise<void> {
    const { conversion, onProgress, onWarning = warnOnConsole, signal } = this.#options;
    const store = this.#store;
    const { name } = this.#id;
    const { files, manifest } = (await store.files(this.#id, "original")) ?? (await this.#download());
    const { onlyFor } = manifest;
    if (conversion === undefined || (await conversion.isDone(files))) {
      // Otherwise it came for a conversion, which this visit does not need.
      if (onlyFor !== undefined) await store.complete(this.#id, "original", { ...manifest, onlyFor: undefined });
      return;
    }
    const { dtype } = conversion;
    const { storage } = store;
    const options = { storage, name, conversion, onProgress, onWarning, signal };
    const converted = await convertKept(files, await store.folder(this.#id, dtype), options);
    await store.complete(this.#id, dtype, { version: 1, files: converted });
    if (onlyFor !== undefined) await store.remove(this.#id, "original");
  }

  async #download(): Promise<{ readonly files: ModelFiles; readonly manifest: Manifest }> {
    const { conversion, offline, onProgress, signal } = this.#options;
    const { name, commit } = this.#id;
    if (offline) throw isOffline(`${name} at ${commit.slice(0, 12)}`);
    const store = this.#store;
    const files = await fetchModel(this.#id, await store.folder(this.#id, "original"), {
      connection: this.#connection,
      policy: this.#policy,
      storage: store.storage,
      besides: conversion?.share ?? 0,
      onProgress,
      signal,
    });
    await store.complete(this.#id, "original", { version: 1, files, onlyFor: conversion?.dtype });
    return (await store.files(this.#id, "original"))!;
  }
}
