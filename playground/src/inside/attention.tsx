import { drawAttentionArcs, shortToken, shownToken } from "@gpt2-ts/gpt2/draw";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { type Cell, HeatMap } from "../heat/heat-map.tsx";
import { shownShare } from "../heat/numbers.ts";
import { useWidth } from "../heat/use-width.ts";
import { chosenToken } from "../state.ts";
import type { Looked } from "./looked.ts";
import { Panel } from "./panel.tsx";
import { headPlace, nameOf } from "./switches.ts";
import { useAnswer } from "./use-answer.ts";

/** The attention of the chosen head, as arcs over the text and as a matrix. */
export function AttentionView({ seen }: { readonly seen: Looked }) {
  const { model, ids, layer, head, token, off, key } = seen;
  const { nLayer } = model.config;
  const answer = useAnswer(nLayer === 0 ? undefined : `${key} ${layer} ${head}`, async (signal) => {
    const places = [`h.${layer}.attn.pattern`];
    const { tokens, values } = await model.trace(ids, {
      places,
      slice: { H: [head, head + 1] },
      ablate: off,
      alone: true,
      signal,
    });
    return { tokens, pattern: values[0]!.data, layer, head };
  });
  if (nLayer === 0) return null;
  const isOff = off.includes(headPlace(layer, head));
  return (
    <Panel
      title={`Attention of layer ${layer}, head ${head}`}
      about={
        isOff
          ? `The ${nameOf(headPlace(layer, head))} is switched off: it looks as shown, but nothing of it reaches the rest of the model.`
          : "Where the chosen token looks, and how much it takes from there. Click another token to choose it."
      }
      answer={answer}
    >
      {answer.value && <Attention {...answer.value} token={token} />}
    </Panel>
  );
}

function Attention({
  tokens,
  pattern,
  layer,
  head,
  token,
}: {
  readonly tokens: readonly string[];
  readonly pattern: Float32Array;
  readonly layer: number;
  readonly head: number;
  readonly token: number;
}) {
  const T = tokens.length;
  const from = Math.min(token, T - 1);
  const labels = useMemo(() => tokens.map((each) => shortToken(each, 10)), [tokens]);
  const tell = ({ row, column }: Cell): string => {
    const names = [row, column].map((t) => `${t} “${shownToken(tokens[t]!)}”`);
    if (column > row) return `Token ${names[0]} does not see token ${names[1]}, which comes later.`;
    return `Token ${names[0]} attends to ${names[1]}: ${shownShare(pattern[row * T + column]!)}`;
  };
  const strongest = pattern
    .subarray(from * T, from * T + from + 1)
    .reduce((best, share, t, row) => (share > row[best]! ? t : best), 0);
  return (
    <>
      <Arcs tokens={tokens} pattern={pattern} from={from} />
      <HeatMap
        name={`Attention of layer ${layer}, head ${head}: ${T} tokens by ${T} tokens`}
        values={pattern}
        columns={T}
        scale="share"
        square={24}
        rowLabels={labels}
        columnLabels={labels}
        tell={tell}
        start={{ row: from, column: strongest }}
        marked={from}
        onRow={(row) => {
          chosenToken.value = row;
        }}
      />
    </>
  );
}

function Arcs({
  tokens,
  pattern,
  from,
}: {
  readonly tokens: readonly string[];
  readonly pattern: Float32Array;
  readonly from: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const svg = useMemo(
    () => (width === 0 ? "" : drawAttentionArcs(tokens, pattern, { from, width: width - 8, heading: false })),
    [tokens, pattern, from, width],
  );
  useLayoutEffect(() => {
    // The chosen token is to be seen where the text is longer than this box.
    const cell = box.current!.querySelector(`[data-token="${from}"]`)?.getBoundingClientRect();
    const frame = box.current!.getBoundingClientRect();
    if (cell) box.current!.scrollTop += cell.top - frame.top - frame.height * 0.6;
  }, [svg]);
  const choose = (t: number): void => {
    chosenToken.value = Math.max(0, Math.min(t, tokens.length - 1));
  };
  return (
    <div
      class="arcs"
      ref={box}
      tabIndex={0}
      role="slider"
      aria-label="The token that attends"
      aria-valuemin={0}
      aria-valuemax={tokens.length - 1}
      aria-valuenow={from}
      aria-valuetext={`token ${from}, ${tokens[from]}`}
      onClick={(event) => {
        const token = (event.target as Element).closest<SVGElement>("[data-token]")?.dataset["token"];
        if (token !== undefined) choose(Number(token));
      }}
      onKeyDown={(event) => {
        const to = movedTo(event.key, from, tokens.length);
        if (to === undefined) return;
        event.preventDefault();
        choose(to);
      }}
      dangerouslySetInnerHTML={{ __html: svg }}
    />
  );
}

function movedTo(key: string, from: number, count: number): number | undefined {
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return from + 1;
    case "ArrowLeft":
    case "ArrowDown":
      return from - 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
