import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { open } from "../engine/load.ts";
import { type Folder, folderOfDropped, folderOfPicked } from "./folder-files.ts";

const problem = signal<string | undefined>();
const over = signal(false);

async function load(folder: () => Folder | Promise<Folder>): Promise<void> {
  problem.value = undefined;
  try {
    await open({ from: "files", ...(await folder()) });
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

/** Files may be dropped anywhere: beside the card, they would else take the place of the page. @returns what ends it */
function takeWhatIsDropped(): () => void {
  const listening = new AbortController();
  const on = (type: "dragover" | "dragleave" | "drop", then: (event: DragEvent) => void): void =>
    addEventListener(type, then, { signal: listening.signal });
  on("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over.value = true;
  });
  on("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) over.value = false; // it left the page
  });
  on("drop", (event) => {
    over.value = false;
    const transfer = event.dataTransfer;
    if (!transfer?.types.includes("Files")) return;
    event.preventDefault();
    void load(() => folderOfDropped(transfer));
  });
  return () => listening.abort();
}

/** A model's folder on this machine. */
export function FromFolder() {
  const folder = useRef<HTMLInputElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const onPicked = (event: Event & { readonly currentTarget: HTMLInputElement }): void => {
    const input = event.currentTarget;
    const picked = Array.from(input.files ?? []);
    input.value = ""; // so that the same folder can be chosen again
    if (picked.length > 0) void load(() => folderOfPicked(picked));
  };
  useEffect(takeWhatIsDropped, []);
  return (
    <section class={over.value ? "card drop over" : "card drop"} aria-labelledby="folder-title">
      <h2 class="part-title" id="folder-title">
        From your machine
      </h2>
      <p class="quiet">
        Drop a model's folder on this page, as <span class="mono">gpt2 train</span>,{" "}
        <span class="mono">gpt2 convert</span> or <span class="mono">save_pretrained</span> write it. It is read here
        and goes nowhere.
      </p>
      <div class="bar">
        <button type="button" onClick={() => folder.current?.click()}>
          Choose a folder
        </button>
        <button type="button" onClick={() => files.current?.click()}>
          Choose its files
        </button>
      </div>
      <input
        ref={folder}
        type="file"
        hidden
        aria-label="A model's folder"
        {...{ webkitdirectory: true }}
        onChange={onPicked}
      />
      <input ref={files} type="file" hidden multiple aria-label="A model's files" onChange={onPicked} />
      {problem.value && (
        <p class="notice bad" role="alert">
          {problem.value}
        </p>
      )}
    </section>
  );
}
