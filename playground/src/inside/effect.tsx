import { shownToken } from "@gpt2-ts/gpt2/draw";
import type { Candidate } from "@gpt2-ts/gpt2/look";
import { bitsOf, shownBits, shownShare, signedNumber } from "../heat/numbers.ts";
import { chosenToken } from "../state.ts";
import type { Looked } from "./looked.ts";
import { Panel } from "./panel.tsx";
import type { Predictions } from "./predictions.ts";
import type { Answer } from "./use-answer.ts";

/** Candidates that are shown. */
const SHOWN = 5;

/** What the text costs and what would follow: with what is switched off, beside the model as it is. */
export function EffectView({
  seen,
  predictions,
}: {
  readonly seen: Looked;
  readonly predictions: Answer<Predictions>;
}) {
  const { value } = predictions;
  const changed = seen.off.length > 0;
  return (
    <Panel
      title={changed ? "What changes" : "What the model says"}
      about={
        changed
          ? "The surprise at each token: green is easier to foresee than for the whole model, pink is harder."
          : "Switch a head or an MLP off above, and see here what the text’s surprise and the next token become."
      }
      answer={predictions}
    >
      {value && <Effect value={value} token={Math.min(seen.token, value.tokens.length - 1)} changed={changed} />}
    </Panel>
  );
}

function Effect({
  value,
  token,
  changed,
}: {
  readonly value: Predictions;
  readonly token: number;
  readonly changed: boolean;
}) {
  const { tokens, now, whole } = value;
  const [bitsNow, bitsWhole] = [now, whole].map(({ next }) => next.map(bitsOf));
  const mean = (bits: readonly number[]): number => bits.reduce((sum, each) => sum + each, 0) / bits.length;
  return (
    <>
      {tokens.length > 1 ? (
        <p class="surprise-sum">
          Surprise{" "}
          {changed && (
            <>
              <output aria-label="Surprise of the whole model">{shownBits(mean(bitsWhole!), 3)}</output>{" "}
              <span aria-hidden="true">→</span>{" "}
            </>
          )}
          <output aria-label="Surprise now">{shownBits(mean(bitsNow!), 3)}</output> bits a token
        </p>
      ) : (
        <p class="surprise-sum">One token alone has nothing before it: there is no surprise yet.</p>
      )}
      <p class="effect-text">
        {tokens.map((text, t) => {
          const [before, after] = [bitsWhole![t - 1], bitsNow![t - 1]];
          const change = before === undefined || after === undefined ? 0 : after - before || 0;
          const told =
            after === undefined
              ? "the first token is given"
              : `${changed ? `${shownBits(before!)} → ` : ""}${shownBits(after)} bits`;
          return (
            <button
              key={t}
              type="button"
              class={change > 0 ? "down" : "up"}
              style={{ "--strength": Math.min(1, Math.abs(change) / 6) }}
              aria-pressed={t === token}
              title={`${shownToken(text)}: ${told}`}
              onClick={() => (chosenToken.value = t)}
            >
              {shownToken(text)}
            </button>
          );
        })}
      </p>
      <div class="nexts">
        {changed && (
          <Next title={`After “${shownToken(tokens[token]!)}”, the whole model`} candidates={whole.top[token]!} />
        )}
        <Next
          title={changed ? "Now" : `After “${shownToken(tokens[token]!)}”`}
          candidates={now.top[token]!}
          before={changed ? whole.top[token]! : undefined}
        />
      </div>
    </>
  );
}

function Next({
  title,
  candidates,
  before,
}: {
  readonly title: string;
  readonly candidates: readonly Candidate[];
  readonly before?: readonly Candidate[] | undefined;
}) {
  return (
    <table class="next-tokens">
      <caption>{title}</caption>
      <tbody>
        {candidates.slice(0, SHOWN).map(({ id, token, probability }) => {
          const was = before?.find((each) => each.id === id)?.probability;
          return (
            <tr key={id}>
              <th scope="row">{shownToken(token)}</th>
              <td class="amount-cell">
                <span class="amount" style={{ width: `${100 * probability}%` }} />
              </td>
              <td class="probability">{shownShare(probability)}</td>
              {before && <td class="change">{was === undefined ? "new" : signedNumber(100 * (probability - was))}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
