import { signal } from "@preact/signals";
import { open } from "../engine/load.ts";
import { failure, session } from "../state.ts";
import { canSaveToFolder, saveAsZip, saveToFolder } from "./save.ts";
import { hasModel, modelFiles, pace, text } from "./training.ts";

const working = signal(false);
const message = signal<{ readonly words: string; readonly isProblem: boolean } | undefined>(undefined);

/** What can be done with the model: after any step, also while the training goes on. */
export function Outcome() {
  if (!hasModel.value) return null;
  const button = (words: string, action: () => Promise<string>) => (
    <button type="button" disabled={working.value} onClick={() => void attempt(action)}>
      {words}
    </button>
  );
  return (
    <section class="card train-outcome" aria-labelledby="train-outcome-title">
      <h2 class="part-title" id="train-outcome-title">
        The model
      </h2>
      <div class="bar">
        {button("Use it here", use)}
        {canSaveToFolder && button("Save to a folder", intoFolder)}
        {button("Download as a zip", asZip)}
        <span role="status" class={message.value?.isProblem ? "bad" : "train-state"}>
          {message.value?.words}
        </span>
      </div>
      <p class="quiet">
        As it is after the latest step. The folder is like any other: <span class="mono">GPT2.load</span>,{" "}
        <span class="mono">gpt2 --model</span> and <span class="mono">transformers</span> read it.
      </p>
    </section>
  );
}

async function attempt(action: () => Promise<string>): Promise<void> {
  working.value = true;
  message.value = undefined;
  try {
    message.value = { words: await action(), isProblem: false };
  } catch (error) {
    message.value = { words: (error as Error).message, isProblem: true };
  } finally {
    working.value = false;
  }
}

async function use(): Promise<string> {
  const title = titleOfModel();
  await open({ from: "files", title, files: await modelFiles() });
  if (session.peek()?.title === title) return "All parts of the page look at it now.";
  throw failure.peek()?.error ?? new Error("Another model was opened meanwhile.");
}

async function intoFolder(): Promise<string> {
  return (await saveToFolder(modelFiles)) ? "Saved." : "Not saved.";
}

async function asZip(): Promise<string> {
  await saveAsZip(
    await modelFiles(),
    titleOfModel()
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .toLowerCase(),
  );
  return "Downloaded.";
}

/** By its text, and how long it learned. */
function titleOfModel(): string {
  return `${text.value.title}, step ${pace.value!.step}`;
}
