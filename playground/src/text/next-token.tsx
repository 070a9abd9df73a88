import { shownToken } from "@gpt2-ts/gpt2/draw";
import { computed } from "@preact/signals";
import { count, percent } from "../format.ts";
import { place, session, tokens } from "../state.ts";
import { takeBranch } from "./edit.ts";
import { next, shownStage, stages } from "./next.ts";
import { type Bar, barsOf, type Stage } from "./stages.ts";
import { stop } from "./writing.ts";

const BARS = 12;

/** What is shown: a filter's work, or that of all of them. */
const shown = computed<{ readonly before: Stage; readonly after: Stage } | undefined>(() => {
  const all = stages.value;
  if (all === undefined) return undefined;
  const at = all.findIndex(({ name }) => name === shownStage.value);
  return at < 1 ? { before: all[0]!, after: all.at(-1)! } : { before: all[at - 1]!, after: all[at]! };
});

/** The next token's distribution before and after the filters. */
export function NextToken() {
  const { ids, texts } = tokens.value;
  const isEnd = place.value === ids.length;
  return (
    <section class="card next-token" aria-labelledby="next-title">
      <h2 class="part-title" id="next-title">
        {isEnd ? (
          "What comes next"
        ) : (
          <>
            What could stand there instead of <span class="mono">{shownToken(texts[place.value]!)}</span>
          </>
        )}
      </h2>
      <StageChoice />
      <Bars />
    </section>
  );
}

function StageChoice() {
  const all = stages.value;
  const choices = all === undefined ? [] : all.slice(1);
  return (
    <fieldset class="stages">
      <legend class="unseen">Which filter's work is shown</legend>
      <StageRadio name="all" label="All" left={all?.at(-1)?.distribution.ids.length} works />
      {choices.map(({ name, label, works, distribution }) => (
        <StageRadio key={name} name={name} label={label} left={distribution.ids.length} works={works} />
      ))}
    </fieldset>
  );
}

interface StageRadioProps {
  readonly name: string;
  readonly label: string;
  /** Tokens that may still be drawn after it. */
  readonly left: number | undefined;
  readonly works: boolean;
}

function StageRadio({ name, label, left, works }: StageRadioProps) {
  return (
    <label class={works ? "stage" : "stage idle"}>
      <input
        type="radio"
        name="filter"
        value={name}
        checked={shownStage.value === name}
        onChange={() => {
          shownStage.value = name;
        }}
      />
      <span class="stage-label">{label}</span>
      <span class="stage-left">{left === undefined ? "" : works ? `${count(left)} left` : "off"}</span>
    </label>
  );
}

function Bars() {
  const pair = shown.value;
  const model = session.value?.model;
  const { error } = next.value;
  if (error) return <p class="notice bad">{error.message}</p>;
  if (pair === undefined || model === undefined) return <div class="bars waiting" aria-hidden="true" />;
  const bars = barsOf(pair.before.distribution, pair.after.distribution, BARS);
  const largest = Math.max(...bars.map(({ before, after }) => Math.max(before, after)));
  return (
    <>
      <p class="bars-key quiet">
        <span class="key-before" aria-hidden="true" />{" "}
        {pair.before.name === "model" ? "the model's own" : `after ${pair.before.label}`}
        <span class="key-after" aria-hidden="true" />{" "}
        {pair.after.name === "minp" ? "what is drawn from" : `after ${pair.after.label}`}
      </p>
      <ol class="bars two">
        {bars.map((bar, i) => (
          <NextBar key={i} bar={bar} token={model.tokenizer.tokens([bar.id])[0]!} largest={largest} />
        ))}
      </ol>
    </>
  );
}

function NextBar({ bar, token, largest }: { readonly bar: Bar; readonly token: string; readonly largest: number }) {
  const { id, before, after } = bar;
  const isOwn = tokens.value.ids[place.value] === id;
  return (
    <li
      class={`${isOwn ? "own" : ""}${after === 0 ? " gone" : ""}`}
      style={{ "--before": `${(100 * before) / largest}%`, "--after": `${(100 * after) / largest}%` }}
    >
      <button
        type="button"
        class="bar-token"
        title={isOwn ? "Cut the text behind this token" : "Write this token"}
        onClick={() => {
          stop();
          takeBranch(place.value, id);
        }}
      >
        {shownToken(token)}
      </button>
      <span class="track" />
      <span class="figure">
        <span class="before" data-value="before">
          {percent(before)}
        </span>
        <span class="unseen"> before, </span>
        <span data-value="after">{after === 0 ? "—" : percent(after)}</span>
        <span class="unseen"> after</span>
      </span>
    </li>
  );
}
