import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { count } from "../format.ts";
import { beginningOf, SAMPLES, type Sample } from "./texts.ts";
import { busy, prompt, text } from "./training.ts";

/** Longer texts are not shown whole: a text field of some megabytes is slow. */
const LONGEST_SHOWN = 200_000;
const SHOWN_OF_LONGER = 2000;

/** Which sample; undefined for a text of the reader's. */
const sample = signal<Sample | undefined>(undefined);
const problem = signal<string | undefined>(undefined);
const over = signal(false);

/** What is learned from. */
export function TextChoice() {
  const file = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (text.peek().text === "") void choose(SAMPLES[0]!);
  }, []);
  const all = text.value.text;
  const isWhole = all.length <= LONGEST_SHOWN;
  return (
    <section
      class={over.value ? "card drop over" : "card drop"}
      aria-labelledby="train-text-title"
      onDragOver={(event) => {
        event.preventDefault();
        over.value = !busy.value;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        if (!busy.value) void read(event.dataTransfer?.files);
      }}
    >
      <h2 class="part-title" id="train-text-title">
        A text to learn
      </h2>
      <fieldset class="train-text" disabled={busy.value} aria-labelledby="train-text-title">
        <div class="bar">
          {SAMPLES.map((one) => (
            <button key={one.title} type="button" aria-pressed={sample.value === one} onClick={() => void choose(one)}>
              {one.title}
            </button>
          ))}
          <button type="button" onClick={() => file.current?.click()}>
            Choose a file
          </button>
        </div>
        <input
          ref={file}
          type="file"
          hidden
          aria-label="A text file"
          accept=".txt,.md,text/*"
          onChange={(event) => {
            void read(event.currentTarget.files);
            event.currentTarget.value = ""; // so that the same file can be chosen again
          }}
        />
        <textarea
          aria-label="Text to learn"
          aria-describedby="train-text-note"
          spellcheck={false}
          rows={9}
          readOnly={!isWhole}
          value={isWhole ? all : `${all.slice(0, SHOWN_OF_LONGER)} …`}
          onInput={(event) => {
            sample.value = undefined;
            text.value = { title: "Own text", text: event.currentTarget.value };
          }}
        />
        <p id="train-text-note" class="quiet">
          {count(all.length)} characters{isWhole ? "" : ", the first of them shown"}. Write, paste, or drop a file: it
          stays in this tab. The last tenth is not learned from; it tells how well other text is predicted.
        </p>
        {problem.value && (
          <p class="notice bad" role="alert">
            {problem.value}
          </p>
        )}
        <label>
          Samples begin with
          <input type="text" value={prompt.value} onInput={(event) => (prompt.value = event.currentTarget.value)} />
        </label>
      </fieldset>
    </section>
  );
}

async function choose(one: Sample): Promise<void> {
  sample.value = one;
  problem.value = undefined;
  try {
    const loaded = await one.load();
    if (sample.value !== one) return; // another was chosen meanwhile
    text.value = { title: one.title, text: loaded };
    prompt.value = one.prompt;
  } catch (error) {
    problem.value = `${one.title} could not be loaded: ${(error as Error).message}`;
  }
}

async function read(files: FileList | null | undefined): Promise<void> {
  const [file, ...others] = files ?? [];
  if (file === undefined) return;
  problem.value = others.length > 0 ? "One file at a time: the first was taken." : undefined;
  try {
    const content = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()).replaceAll("\r\n", "\n");
    sample.value = undefined;
    text.value = { title: file.name.replace(/\.[^.]*$/, ""), text: content };
    prompt.value = beginningOf(content);
  } catch (error) {
    const why = error instanceof TypeError ? "it is not text in UTF-8" : (error as Error).message;
    problem.value = `${file.name} cannot be learned: ${why}.`;
  }
}
