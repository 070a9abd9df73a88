import { checkOptionNames } from "@gpt2-ts/tensor/options";
import { HubError } from "../hub/error.ts";
import { type Kept, ModelStore } from "./model-store.ts";
import { type BrowserStorage, openStorage } from "./storage.ts";

// The models that `GPT2.fromPretrained` keeps in a browser, for pages that show them and delete them.

export { watchCachedModels } from "./changes.ts";

/** A model that is kept in this browser for this site. */
export interface CachedModel {
  /** As it was asked for. */
  readonly name: string;
  readonly commit: string;
  /** `"original"` as on the hub, or what it was converted to. */
  readonly dtype: string;
  /** Bytes that it takes. */
  readonly bytes: number;
  /** Whether all of it is there; otherwise the next visit continues the download. */
  readonly complete: boolean;
}

/** Which models to delete: those that agree with all that is given. */
export type CachedModelFilter = Partial<Pick<CachedModel, "name" | "commit" | "dtype">>;

/**
 * Lists the models that are kept, complete or not.
 *
 * @throws HubError `no-storage` where nothing can be kept
 */
export async function listCachedModels(): Promise<CachedModel[]> {
  return listModels(await openStorage());
}

/**
 * Deletes models: `deleteCachedModels({ name: "gpt2", dtype: "original" })`, or all of them with `deleteCachedModels({})`.
 *
 * @returns what was deleted
 * @throws HubError `no-storage` where nothing can be kept; `in-use` for a model that some tab is loading or downloading
 */
export async function deleteCachedModels(filter: CachedModelFilter): Promise<CachedModel[]> {
  return deleteModels(await openStorage(), filter);
}

export async function listModels(storage: BrowserStorage): Promise<CachedModel[]> {
  return (await new ModelStore(storage).list()).map(described);
}

export async function deleteModels(storage: BrowserStorage, filter: CachedModelFilter): Promise<CachedModel[]> {
  checkOptionNames(filter, ["name", "commit", "dtype"]);
  const store = new ModelStore(storage);
  const deleted: CachedModel[] = [];
  for (const kept of await store.list()) {
    const model = described(kept);
    if (Object.entries(filter).some(([key, value]) => value !== undefined && model[key as "name"] !== value)) continue;
    const release = await store.lock(kept, "exclusive", undefined);
    if (release === undefined) {
      throw new HubError("in-use", `${kept.name} is being loaded or downloaded by this site`, {
        hint: "try again later",
      });
    }
    try {
      await store.remove(kept, kept.variant);
    } finally {
      release();
    }
    deleted.push(model);
  }
  return deleted;
}

function described({ name, commit, variant, bytes, complete }: Kept): CachedModel {
  return { name, commit, dtype: variant, bytes, complete };
}
