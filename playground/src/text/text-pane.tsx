import { session, text, tokens } from "../state.ts";
import { Editor } from "./editor.tsx";
import { TokenStrip } from "./token-strip.tsx";
import "./text.css";

/** What is written, and its tokens. */
export function TextPane() {
  const { ids, beyond } = tokens.value;
  const limit = session.value?.model.config.nPositions;
  return (
    <section class="text-pane" aria-label="Text and tokens">
      <Editor />
      <TokenStrip />
      {beyond > 0 && limit !== undefined && (
        <p class="notice" role="note">
          The model reads {limit} tokens at most; this text has {ids.length + beyond}. What stands behind them is left
          out.{" "}
          <button
            type="button"
            class="link"
            onClick={() => {
              text.value = session.value!.model.tokenizer.decode(ids);
            }}
          >
            Cut the text there
          </button>
        </p>
      )}
    </section>
  );
}
