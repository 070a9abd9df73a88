import type { Signal } from "@preact/signals";
import { count } from "../format.ts";
import { sampling } from "../state.ts";

interface SliderProps {
  readonly label: string;
  readonly explanation: string;
  readonly value: Signal<number>;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** What a value is called, where it is not its number. */
  readonly name?: (value: number) => string | undefined;
}

function Slider({ label, explanation, value, min, max, step, name }: SliderProps) {
  const id = `sampling-${label.toLowerCase().replaceAll(" ", "-")}`;
  const shown = name?.(value.value) ?? String(value.value);
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{shown}</output>
      <input
        id={id}
        type="range"
        aria-describedby={`${id}-about`}
        aria-valuetext={shown}
        {...{ min, max, step }}
        value={value.value}
        style={{ "--filled": `${(100 * (Math.min(max, value.value) - min)) / (max - min)}%` }}
        onInput={(event) => {
          value.value = Number(event.currentTarget.value);
        }}
      />
      <p class="quiet" id={`${id}-about`}>
        {explanation}
      </p>
    </div>
  );
}

const off = (neutral: number) => (value: number) => (value === neutral ? "off" : undefined);

/** How the next token is drawn. */
export function Sampling() {
  const { temperature, topK, topP, minP, repetitionPenalty, seed, maxTokens } = sampling;
  return (
    <section class="card sampling" aria-labelledby="sampling-title">
      <h2 class="part-title" id="sampling-title">
        How it is drawn
      </h2>
      <Slider
        label="Repetition penalty"
        value={repetitionPenalty}
        min={1}
        max={2}
        step={0.05}
        name={off(1)}
        explanation="Makes tokens that are in the text less likely."
      />
      <Slider
        label="Temperature"
        value={temperature}
        min={0}
        max={2}
        step={0.05}
        name={(value) => (value === 0 ? "0: always the likeliest" : undefined)}
        explanation="Below 1 less random, above 1 more."
      />
      <Slider
        label="Top-k"
        value={topK}
        min={0}
        max={100}
        step={1}
        name={off(0)}
        explanation="Only so many of the likeliest tokens."
      />
      <Slider
        label="Top-p"
        value={topP}
        min={0.01}
        max={1}
        step={0.01}
        name={off(1)}
        explanation="Only the fewest that have this probability together."
      />
      <Slider
        label="Min-p"
        value={minP}
        min={0}
        max={0.5}
        step={0.01}
        name={off(0)}
        explanation="Only tokens with this share of the likeliest one's probability."
      />
      <div class="numbers">
        <NumberField label="Seed" value={seed} min={0} max={Number.MAX_SAFE_INTEGER} />
        <button
          type="button"
          onClick={() => {
            seed.value = crypto.getRandomValues(new Uint16Array(1))[0]!;
          }}
        >
          Another seed
        </button>
        <NumberField label="Tokens" value={maxTokens} min={1} max={1000} />
      </div>
      <p class="quiet">The same seed, text and settings write the same, to the last letter.</p>
    </section>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly value: Signal<number>;
  readonly min: number;
  readonly max: number;
}

function NumberField({ label, value, min, max }: NumberFieldProps) {
  return (
    <label class="number">
      <span>{label}</span>
      <input
        type="number"
        inputMode="numeric"
        title={`${count(min)} to ${count(max)}`}
        {...{ min, max }}
        step={1}
        value={value.value}
        onChange={(event) => {
          const typed = event.currentTarget.valueAsNumber;
          if (Number.isSafeInteger(typed) && typed >= min && typed <= max) value.value = typed;
          else event.currentTarget.value = String(value.value);
        }}
      />
    </label>
  );
}
