import { count } from "../format.ts";
import { session, text, tokens, writing } from "../state.ts";
import { canUndo, type, undo } from "./edit.ts";
import { note, step, stop, write } from "./writing.ts";

export function Editor() {
  const model = session.value?.model;
  const { ids } = tokens.value;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void (event.shiftKey ? step() : write());
    }
    if (event.key === "Escape") stop();
  };
  return (
    <div class="editor">
      <label for="text" class="part-title">
        Text
      </label>
      <div class="grow" data-text={`${text.value}\n`}>
        <textarea
          id="text"
          value={text.value}
          spellcheck={false}
          autocapitalize="off"
          rows={2}
          aria-describedby="text-help"
          onKeyDown={onKeyDown}
          onInput={(event) => {
            stop();
            type(event.currentTarget.value);
          }}
        />
      </div>
      <div class="bar">
        {writing.value ? (
          <button type="button" class="main" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="button" class="main" disabled={model === undefined} onClick={write} title="Ctrl + Enter">
            Continue
          </button>
        )}
        <button type="button" disabled={model === undefined} onClick={step} title="Ctrl + Shift + Enter">
          One token
        </button>
        <button
          type="button"
          aria-disabled={!canUndo.value}
          onClick={() => {
            stop();
            undo();
          }}
        >
          Undo
        </button>
        <p class="count quiet" id="text-help">
          {model ? `${count(ids.length)} of ${count(model.config.nPositions)} tokens` : "Loading the model"}
        </p>
      </div>
      {note.value && (
        <p class="notice" role="note">
          {note.value}
        </p>
      )}
    </div>
  );
}
