import { effect } from "@preact/signals";
import { keepPage } from "../offline/keep-page.ts";
import {
  applied,
  firstText,
  linkedDtype,
  linkedHub,
  linkedModel,
  loading,
  type ModelChoice,
  offer,
  session,
  switchedOff,
} from "../state.ts";
import { followUrl } from "../url.ts";
import { open } from "./load.ts";
import { SHIPPED } from "./shipped.ts";

/** Loads the first model, and keeps model and address in step with what is chosen. */
export function start(): void {
  void openLinked();
  followUrl();
  addEventListener("hashchange", () => {
    const now = offer.peek() ?? loading.peek()?.choice ?? session.peek()?.choice;
    const namesNone = now?.from === "files" && linkedModel.peek() === undefined; // files have no address
    if (!namesNone && !(now && isSame(now, linked()))) void openLinked();
  });
  effect(() => {
    if (firstText.value !== undefined) void keepPage(); // when the reader waits for nothing
  });
  effect(() => {
    const model = session.value?.model;
    const places = switchedOff.value;
    if (model === undefined || places.join() === applied.peek().join()) return;
    model.switchOff(places).then(
      () => {
        if (session.peek()?.model === model) applied.value = places;
      },
      () => {
        if (session.peek()?.model === model) switchedOff.value = applied.peek(); // places of another model
      },
    );
  });
}

type Linked = ModelChoice & { readonly from: "page" | "hub" };

/** The model that the address names; the shipped one if it names none. */
function linked(): Linked {
  const name = linkedModel.peek();
  const beside = name === undefined ? SHIPPED[0] : SHIPPED.find(({ folder }) => folder === name);
  return beside ?? { from: "hub", name: name!, dtype: linkedDtype.peek(), endpoint: linkedHub.peek() };
}

function isSame(one: ModelChoice, other: Linked): boolean {
  if (one.from === "page") return other.from === "page" && one.folder === other.folder;
  if (one.from !== "hub" || other.from !== "hub") return false;
  return one.name === other.name && one.dtype === other.dtype && one.endpoint === other.endpoint;
}

/** The model that the address names if it is here, beside the page or kept in this browser. Nothing large comes unasked. */
async function openLinked(): Promise<void> {
  const choice = linked();
  if (choice.from === "page" || (await isKept(choice.name, choice.dtype))) {
    offer.value = undefined;
    return open(choice);
  }
  offer.value = choice;
  if (session.peek() === undefined) return open(SHIPPED[0]!);
}

async function isKept(name: string, dtype: string): Promise<boolean> {
  try {
    const { listCachedModels } = await import("@gpt2-ts/gpt2/browser-cache");
    const models = await listCachedModels();
    return models.some(
      (model) => model.name === name && model.complete && model.dtype === (dtype === "f32" ? "original" : dtype),
    );
  } catch {
    return false; // nothing can be kept here
  }
}
