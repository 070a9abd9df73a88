import { lines } from "virtual:model-source";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Strip } from "../heat/strip.tsx";
import type { Step } from "./steps.ts";
import { matrixOf, rowOf, type Values } from "./values.ts";

/** The text of model.ts; lines that make tensors show them. */
export function Listing({
  steps,
  at,
  block,
  values,
  token,
  head,
  onStep,
}: {
  readonly steps: readonly Step[];
  readonly at: number;
  /** The block whose values lines show. */
  readonly block: number | undefined;
  readonly values: readonly (Values | undefined)[];
  readonly token: number;
  readonly head: number;
  readonly onStep: (step: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const current = steps[at];
  const line = current?.lines[0];
  useLayoutEffect(() => {
    // Only this box is to move, not the page.
    const row = box.current!.querySelector<HTMLElement>(`[data-line="${line ?? FIRST_SHOWN}"]`)!;
    const { scrollTop, clientHeight } = box.current!;
    const [top, bottom] = [row.offsetTop - 2 * row.offsetHeight, row.offsetTop + 3 * row.offsetHeight];
    if (top < scrollTop || bottom > scrollTop + clientHeight) box.current!.scrollTop = row.offsetTop - clientHeight / 3;
  }, [line]);
  const shown = shownSteps(steps, at, block);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the arrow keys step
    <section class="listing" ref={box} tabIndex={0} aria-label="model.ts: the arrow keys step through it">
      {lines.map((pieces, i) => {
        const number = i + 1;
        const calls = current?.lines.slice(1).includes(number);
        const state = number === line ? "current" : calls ? "calling" : "";
        return (
          <div
            key={number}
            class={`line ${state}`}
            data-line={number}
            aria-current={state === "current" ? "step" : undefined}
          >
            <span class="line-number" aria-hidden="true">
              {number}
            </span>
            <LineValue
              index={shown.get(number)}
              steps={steps}
              at={at}
              values={values}
              token={token}
              head={head}
              onStep={onStep}
            />
            <code>
              {pieces.map(([text, kind], k) =>
                kind === "" ? (
                  text
                ) : (
                  <span key={k} class={`k-${kind}`}>
                    {text}
                  </span>
                ),
              )}
            </code>
          </div>
        );
      })}
    </section>
  );
}

/** The line at the top while nothing runs: the stack. */
const FIRST_SHOWN = 100;

/** The step that each line shows: of this block the one that ran last there, or else the first that will. */
function shownSteps(steps: readonly Step[], at: number, block: number | undefined): ReadonlyMap<number, number> {
  const shown = new Map<number, number>();
  for (const [index, step] of steps.entries()) {
    if (step.block !== undefined && step.block !== block) continue;
    const [line] = step.lines as [number];
    if (!shown.has(line) || index <= at) shown.set(line, index);
  }
  return shown;
}

function LineValue({
  index,
  steps,
  at,
  values,
  token,
  head,
  onStep,
}: {
  readonly index: number | undefined;
  readonly steps: readonly Step[];
  readonly at: number;
  readonly values: readonly (Values | undefined)[];
  readonly token: number;
  readonly head: number;
  readonly onStep: (step: number) => void;
}) {
  if (index === undefined) return <span class="made" />;
  const { main } = steps[index]!;
  const matrices = index > at ? [] : values.map((some) => some && matrixOf(some, main.name, head));
  const matrix = matrices.find((each) => each !== undefined);
  const row = matrix && rowOf(matrix, token);
  const shape = main.axes.join(", ");
  return (
    <button
      type="button"
      class={index <= at ? "made" : "made later"}
      title={`${main.name} [${shape}]: run to this line`}
      aria-label={`${main.name} [${shape}]: run to this line`}
      tabIndex={-1}
      onClick={() => onStep(index)}
    >
      {row && <Strip values={row} columns={row.length} scale="signed" />}
    </button>
  );
}
