import { hash } from "virtual:model-source";
import { MODEL_HASH, placesOf } from "@gpt2-ts/gpt2/look";
import { looked } from "../inside/looked.ts";
import { Pickers } from "../inside/pickers.tsx";
import { useAnswer } from "../inside/use-answer.ts";
import { rowsOf, windowAround } from "../inside/windows.ts";
import { layer } from "../state.ts";
import "./code.css";
import { Listing } from "./listing.tsx";
import { codePlace } from "./place.ts";
import { inBlock, nextBlock, type Step, stepAt, stepsOf } from "./steps.ts";
import { ValuePanel } from "./value-panel.tsx";
import type { Values } from "./values.ts";

/** `model.ts`, run line by line on the text, with the tensors that its lines make. */
export function CodePart() {
  const seen = looked();
  const nothing = hash !== MODEL_HASH ? OTHER_SOURCE : "nothing" in seen ? seen.nothing : undefined;
  if (nothing !== undefined || "nothing" in seen) {
    return (
      <section class="code-part" aria-label="Code">
        <p class="nothing">{nothing}</p>
        <Listing steps={[]} at={0} block={undefined} values={[]} token={0} head={0} onStep={() => {}} />
      </section>
    );
  }
  return <Debugger seen={seen} />;
}

const OTHER_SOURCE =
  "This is another model.ts than the one that the library was built of: which line makes what is not known.";

function Debugger({ seen }: { readonly seen: Exclude<ReturnType<typeof looked>, { nothing: string }> }) {
  const { model, ids, token, off, key } = seen;
  const places = placesOf(model.config);
  const steps = stepsOf(places.values(), seen.head);
  const here = inBlock(codePlace.value, seen.layer); // the layer may have been chosen elsewhere
  const at = stepAt(steps, here);
  const step = steps[at]!;
  const current = step.places.find(({ name }) => name === here) ?? step.main;
  const block = step.block ?? seen.layer;

  const rows = windowAround(token, ids.length, rowsOf(Math.max(3 * model.config.nEmbd, model.config.nInner)));
  const names = steps.filter((each) => each.block === undefined || each.block === block).flatMap((each) => each.places);
  const wanted = names.map(({ name }) => name).filter((name) => name !== "logits" && !name.includes(".head."));
  const answer = useAnswer(`${key} ${block} ${rows}`, async (signal): Promise<Values> => {
    const trace = await model.trace(ids, { places: wanted, slice: { T: rows }, ablate: off, alone: true, signal });
    return { trace, rows };
  });
  const logitRows = windowAround(token, ids.length, rowsOf(model.config.vocabSize, 32));
  const logits = useAnswer(
    current.name === "logits" ? `${key} ${logitRows}` : undefined,
    async (signal): Promise<Values> => {
      const trace = await model.trace(ids, {
        places: ["logits"],
        slice: { T: logitRows },
        ablate: off,
        alone: true,
        signal,
      });
      return { trace, rows: logitRows };
    },
  );

  const go = (to: number): void => {
    const target = steps[Math.max(0, Math.min(to, steps.length - 1))]!;
    codePlace.value = target.main.name;
    if (target.block !== undefined) layer.value = target.block;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = stepOfKey(event, steps, at);
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  return (
    <section class="code-part" aria-label="Code" onKeyDown={onKeyDown}>
      <div class="debugger">
        <div class="steps" role="toolbar" aria-label="Steps of the pass">
          <StepButton label="Start" keys="Home" disabled={at === 0} onClick={() => go(0)} />
          <StepButton label="Back" keys="Shift+F10" disabled={at === 0} onClick={() => go(at - 1)} />
          <StepButton
            label="Next line"
            keys="F10"
            primary
            disabled={at === steps.length - 1}
            onClick={() => go(at + 1)}
          />
          <StepButton
            label="Next block"
            keys="F11"
            disabled={at === steps.length - 1}
            onClick={() => go(nextBlock(steps, at))}
          />
          <StepButton label="End" keys="End" disabled={at === steps.length - 1} onClick={() => go(steps.length - 1)} />
        </div>
        <p class="position" aria-live="polite">
          {positionOf(step, at, steps.length)}
        </p>
        <Pickers seen={seen} />
      </div>
      <div class="code-columns">
        <Listing
          steps={steps}
          at={at}
          block={block}
          values={[answer.value, logits.value]}
          token={token}
          head={seen.head}
          onStep={go}
        />
        <ValuePanel
          seen={seen}
          step={step}
          current={current}
          answer={current.name === "logits" ? logits : answer}
          onPlace={(name) => {
            codePlace.value = name;
          }}
        />
      </div>
    </section>
  );
}

function positionOf({ block, lines }: Step, at: number, count: number): string {
  return `Step ${at + 1} of ${count}: ${block === undefined ? "" : `block ${block}, `}line ${lines[0]}`;
}

/** Where a key leads. */
function stepOfKey(event: KeyboardEvent, steps: readonly Step[], at: number): number | undefined {
  const { key, shiftKey, ctrlKey, altKey, metaKey, target } = event;
  if (ctrlKey || altKey || metaKey) return undefined;
  if (key === "F10") return shiftKey ? at - 1 : at + 1;
  if (key === "F11") return nextBlock(steps, at);
  if (shiftKey || (target as Element).closest(".listing") === null) return undefined;
  switch (key) {
    case "ArrowDown":
    case "ArrowRight":
      return at + 1;
    case "ArrowUp":
    case "ArrowLeft":
      return at - 1;
    case "PageDown":
      return nextBlock(steps, at);
    case "Home":
      return 0;
    case "End":
      return steps.length - 1;
    default:
      return undefined;
  }
}

function StepButton({
  label,
  keys,
  primary = false,
  disabled,
  onClick,
}: {
  readonly label: string;
  readonly keys: string;
  readonly primary?: boolean;
  readonly disabled: boolean;
  readonly onClick: () => void;
}) {
  return (
    <button
      type="button"
      class={primary ? "step main" : "step"}
      title={`${label} (${keys})`}
      aria-keyshortcuts={keys}
      aria-disabled={disabled}
      onClick={() => disabled || onClick()}
    >
      {label}
    </button>
  );
}
