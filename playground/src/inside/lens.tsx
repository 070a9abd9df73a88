import { shortToken, shownToken } from "@gpt2-ts/gpt2/draw";
import { useLayoutEffect, useRef } from "preact/hooks";
import { shownShare } from "../heat/numbers.ts";
import { chosenToken } from "../state.ts";
import type { Looked } from "./looked.ts";
import { Panel } from "./panel.tsx";
import { useAnswer } from "./use-answer.ts";
import { windowAround } from "./windows.ts";

/** The most columns, and the arithmetic that one lens may take: a second or so of one thread. */
const [COLUMNS, OPERATIONS] = [32, 1e10];

/** What each layer would say, if it were the last. */
export function LensView({ seen }: { readonly seen: Looked }) {
  const { model, ids, token, off, key } = seen;
  const { nLayer, nEmbd, vocabSize } = model.config;
  const affordable = Math.floor(OPERATIONS / (2 * vocabSize * nEmbd * (nLayer + 1)));
  const positions = windowAround(token, ids.length, Math.max(4, Math.min(COLUMNS, affordable)));
  const answer = useAnswer(`${key} ${positions}`, async (signal) => {
    const top = Math.min(5, vocabSize);
    const lens = await model.logitLens(ids, { top, positions, ablate: off, alone: true, signal });
    return { ...lens, first: positions[0] };
  });
  const value = answer.value;
  const columns = value?.layers[0]?.top.map((_, i) => i + value.first) ?? [];
  const table = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // The chosen token's column in the middle of what is seen.
    const column = table.current?.querySelector<HTMLElement>("thead .chosen");
    if (column) table.current!.scrollLeft = column.offsetLeft - (table.current!.clientWidth - column.offsetWidth) / 2;
  }, [token, value]);
  return (
    <Panel
      title="What each layer would say"
      about="The logit lens reads the residual stream at every layer as if it were the last. A frame marks the token that does come."
      answer={answer}
    >
      {value && (
        <section
          class="scrolls"
          ref={table}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
          tabIndex={0}
          aria-label="Table of layers and tokens"
        >
          <table class="lens">
            <thead>
              <tr>
                <th scope="col">after</th>
                {columns.map((t) => (
                  <th key={t} scope="col" class={t === token ? "chosen" : ""}>
                    <button type="button" aria-pressed={t === token} onClick={() => (chosenToken.value = t)}>
                      {shortToken(value.tokens[t]!, 12)}
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {value.layers.map(({ place, top, next }, row) => (
                <tr key={place}>
                  <th scope="row">
                    <code>{place}</code>
                    <small>{row === 0 ? "embeddings" : row === nLayer ? "the answer" : `after block ${row - 1}`}</small>
                  </th>
                  {columns.map((t, i) => {
                    const [best] = top[i]!;
                    const comes = best!.id === value.ids[t + 1];
                    const five = top[i]!.map((each) => `${shownToken(each.token)}  ${shownShare(each.probability)}`);
                    const title = [
                      ...five,
                      ...(next[i] === undefined ? [] : [`what comes: ${shownShare(next[i]!)}`]),
                    ].join("\n");
                    return (
                      <td
                        key={t}
                        class={`guess${t === token ? " chosen" : ""}${comes ? " comes" : ""}`}
                        style={{ "--strength": best!.probability }}
                        title={title}
                      >
                        <span class="said">{shortToken(best!.token, 12)}</span>
                        <small>{shownShare(best!.probability)}</small>
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">what comes</th>
                {columns.map((t) => (
                  <td key={t} class={t === token ? "chosen" : ""}>
                    <span class="said">
                      {value.tokens[t + 1] === undefined ? "?" : shortToken(value.tokens[t + 1]!, 12)}
                    </span>
                  </td>
                ))}
              </tr>
            </tfoot>
          </table>
        </section>
      )}
      {columns.length < ids.length && (
        <p class="note">
          Tokens {columns[0]} to {columns.at(-1)} of {ids.length}, around the chosen one.
        </p>
      )}
    </Panel>
  );
}
