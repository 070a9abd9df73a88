import { count, rate } from "../format.ts";
import { LossChart } from "./chart.tsx";
import { duration } from "./format.ts";
import {
  beginning,
  busy,
  failure,
  goOn,
  losses,
  pace,
  pause,
  phase,
  ready,
  settings,
  start,
  stop,
  vocabularyShare,
  written,
} from "./training.ts";

const STATES = {
  none: "",
  preparing: "Learning a vocabulary",
  running: "Training",
  pausing: "Pausing after this step",
  paused: "Paused",
  stopping: "Stopping",
  stopped: "Stopped",
  finished: "Finished",
  failed: "It could not go on",
} as const;

/** The training as it goes. */
export function Course() {
  return (
    <section class="card train-course" aria-label="Training">
      <Controls />
      {failure.value !== undefined && (
        <p class="notice bad" role="alert">
          {failure.value}
        </p>
      )}
      {beginning.value !== undefined && <Seen />}
    </section>
  );
}

function Controls() {
  const state = phase.value;
  const now = pace.value;
  const share = state === "preparing" ? vocabularyShare.value : now ? now.step / now.steps : 0;
  return (
    <div class="bar">
      {!busy.value && (
        <button type="button" class="main" disabled={!ready.value} onClick={start}>
          {state === "none" ? "Train" : "Train anew"}
        </button>
      )}
      {(state === "running" || state === "pausing") && (
        <button type="button" class="main" disabled={state === "pausing"} onClick={pause}>
          Pause
        </button>
      )}
      {state === "paused" && (
        <button type="button" class="main" onClick={goOn}>
          Go on
        </button>
      )}
      {busy.value && (
        <button type="button" disabled={state === "stopping"} onClick={stop}>
          Stop
        </button>
      )}
      <span class="train-state">{STATES[state]}</span>
      {busy.value && <progress aria-label={STATES[state]} value={share} />}
    </div>
  );
}

function Seen() {
  const { vocabulary, trainTokens, heldOutTokens, threads } = beginning.value!;
  const now = pace.value;
  const heldOut = losses.value.heldOut.at(-1)?.[1];
  const steps = now?.steps ?? settings.value.steps;
  const entries: readonly (readonly [name: string, value: string | undefined])[] = [
    ["Step", `${count(now?.step ?? 0)} of ${count(steps)}`],
    ["Loss", now?.loss.toFixed(2)],
    ["Held-out loss", heldOut?.toFixed(2)],
    ["Tokens/s", now?.tokensPerSecond === undefined ? undefined : rate(now.tokensPerSecond)],
    ["Time left", now && busy.value ? duration(now.secondsLeft) : undefined],
    ["Text", `${count(trainTokens)} tokens`],
    ["Held-out text", `${count(heldOutTokens)} tokens`],
    ["Vocabulary", count(vocabulary)],
    ["Threads", String(threads)],
  ];
  return (
    <>
      <dl class="train-numbers">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value ?? "–"}</dd>
          </div>
        ))}
      </dl>
      <div class="train-seen">
        <figure>
          <LossChart losses={losses.value} steps={steps} guessing={Math.log(vocabulary)} />
          <figcaption class="quiet">
            Loss in nats a token: <span class="train-key">in training</span>{" "}
            <span class="held-out-key">of the held-out text</span>
          </figcaption>
        </figure>
        <div>
          <h3 id="train-samples-title">What it writes</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to get there */}
          <ol class="train-samples" tabIndex={0} aria-labelledby="train-samples-title">
            {written.value.map(({ step, prompt, text }) => (
              <li key={step}>
                <span class="quiet">step {count(step)}</span>
                <p class="mono">
                  <b>{prompt}</b>
                  {text}
                </p>
              </li>
            ))}
          </ol>
        </div>
      </div>
    </>
  );
}
