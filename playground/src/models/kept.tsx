import type { CachedModel } from "@gpt2-ts/gpt2/browser-cache";
import { signal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { announce } from "../engine/announce.ts";
import { open } from "../engine/load.ts";
import { megabytes } from "../format.ts";
import { type Dtype, failure } from "../state.ts";
import { dtype, endpoint } from "./from-hub.tsx";

const kept = signal<readonly CachedModel[] | undefined>();
const problem = signal<string | undefined>();

let latestListing = 0;

async function list(): Promise<void> {
  const listing = ++latestListing;
  try {
    const { listCachedModels } = await import("@gpt2-ts/gpt2/browser-cache");
    const models = await listCachedModels();
    if (listing === latestListing) kept.value = models; // an older one may know less
  } catch (error) {
    kept.value ??= [];
    problem.value = (error as Error).message;
  }
}

/** Lists them, and again whenever some tab or worker has changed what is kept. */
async function watch(): Promise<() => void> {
  const { watchCachedModels } = await import("@gpt2-ts/gpt2/browser-cache");
  const stop = watchCachedModels(() => void list());
  void list();
  return stop;
}

/** Keeps the list true for as long as it is shown. */
function useList(): void {
  useEffect(() => {
    const watching = watch().catch((error: Error) => {
      problem.value = error.message;
    });
    return () => void watching.then((stop) => stop?.());
  }, []);
  useSignalEffect(() => {
    if (failure.value?.choice.from === "hub") void list(); // a worker that fell told nobody what it leaves
  });
}

const dtypeOf = ({ dtype }: CachedModel): Dtype => (dtype === "original" ? "f32" : (dtype as Dtype));

/** Loads it as it is kept; what is not here yet comes from the hub that is named beside, as what is chosen there. */
function load(model: CachedModel): void {
  const as = model.complete ? dtypeOf(model) : dtype.value;
  void open({ from: "hub", name: model.name, dtype: as, endpoint: endpoint.value });
}

async function remove({ name, commit, dtype }: CachedModel): Promise<void> {
  problem.value = undefined;
  try {
    const { deleteCachedModels } = await import("@gpt2-ts/gpt2/browser-cache");
    await deleteCachedModels({ name, commit, dtype });
    announce(`${name} is deleted.`);
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

/** The models that this browser keeps. */
export function Kept() {
  useList();
  const models = kept.value;
  return (
    <section class="card" aria-labelledby="kept-title">
      <h2 class="part-title" id="kept-title">
        Kept in this browser
      </h2>
      {models?.length === 0 && (
        <p class="quiet">
          None yet. Models of the Hub stay here once they are downloaded, and then open without a network.
        </p>
      )}
      {models && models.length > 0 && (
        <ul class="rows">
          {models.map((model) => (
            <li key={`${model.name} ${model.commit} ${model.dtype}`}>
              <p>
                <strong>{model.name}</strong>{" "}
                <span class="quiet">
                  {dtypeOf(model)}, {megabytes(model.bytes)}
                  {!model.complete && ", not all of it"}
                </span>
              </p>
              <button type="button" onClick={() => load(model)}>
                {model.complete ? "Load" : "Continue"}
              </button>
              <button
                type="button"
                class="link"
                aria-label={`Delete ${model.name}, ${dtypeOf(model)}`}
                onClick={() => void remove(model)}
              >
                Delete
              </button>
            </li>
          ))}
        </ul>
      )}
      {problem.value && (
        <p class="notice" role="note">
          {problem.value}
        </p>
      )}
    </section>
  );
}
