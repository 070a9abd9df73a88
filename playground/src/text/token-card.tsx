import { mergeSteps } from "@gpt2-ts/gpt2";
import { shownToken } from "@gpt2-ts/gpt2/draw";
import { bits, bitsOf, count, percent } from "../format.ts";
import { chosenToken, session, tokens } from "../state.ts";
import { takeBranch } from "./edit.ts";
import { focusNext } from "./focus.ts";
import { scoreOf } from "./scoring.ts";
import { stop } from "./writing.ts";

const BEATEN = 5;

/** This card goes, and the focus must not go with it. */
function toEnd(): void {
  chosenToken.value = undefined;
  focusNext();
}

/** All about one token of the text. */
export function TokenCard({ index }: { readonly index: number }) {
  const { tokenizer } = session.value!.model;
  const { ids, texts } = tokens.value;
  const id = ids[index]!;
  const bytes = Array.from(tokenizer.decodeBytes([id]), (byte) => byte.toString(16).padStart(2, "0"));
  const score = scoreOf(index);
  return (
    <section class="card" aria-labelledby="token-title">
      <div class="card-head">
        <h2 class="part-title" id="token-title">
          Token {count(index + 1)} of {count(ids.length)}
        </h2>
        <button type="button" class="link" onClick={toEnd}>
          Back to the end
        </button>
      </div>
      <p class="big-token">{shownToken(texts[index]!)}</p>
      <dl class="facts">
        <dt>Id</dt>
        <dd>{id}</dd>
        <dt>{bytes.length === 1 ? "Byte" : "Bytes"}</dt>
        <dd class="mono">{bytes.join(" ")}</dd>
        {score && (
          <>
            <dt>Probability</dt>
            <dd data-value="probability">{percent(Math.exp(score.logprob))}</dd>
            <dt>Surprise</dt>
            <dd>
              <span data-value="surprise">{bits(bitsOf(score.logprob))}</span> bits
            </dd>
          </>
        )}
        {index === 0 && (
          <>
            <dt>Probability</dt>
            <dd>none: the first token is given</dd>
          </>
        )}
      </dl>
      <Merges id={id} />
      {score && <Beaten index={index} id={id} logprob={score.logprob} others={score.alternatives} />}
    </section>
  );
}

function Merges({ id }: { readonly id: number }) {
  const { tokenizer } = session.value!.model;
  const steps = mergeSteps(tokenizer, id);
  if (steps.length === 0) return null;
  const bytes = Array.from(tokenizer.decodeBytes([id]));
  let parts = bytes.map((byte) => tokenizer.tokens(tokenizer.encodeBytes(Uint8Array.of(byte)))[0]!);
  const rows = [{ parts, made: -1, rank: undefined as number | undefined }];
  for (const { position, result, rank } of steps) {
    parts = [...parts.slice(0, position), tokenizer.tokens([result])[0]!, ...parts.slice(position + 2)];
    rows.push({ parts, made: position, rank });
  }
  return (
    <div class="merges">
      <h3>Made of its bytes</h3>
      <ol>
        {rows.map(({ parts, made, rank }) => (
          <li key={parts.length}>
            <span class="parts">
              {parts.map((part, i) => (
                <span key={`${i}:${part}`} class={i === made ? "made" : undefined}>
                  {shownToken(part)}
                </span>
              ))}
            </span>
            <span class="quiet">{rank === undefined ? "its bytes" : `merge ${count(rank + 1)}`}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

interface BeatenProps {
  readonly index: number;
  readonly id: number;
  readonly logprob: number;
  readonly others: readonly { readonly id: number; readonly token: string; readonly logprob: number }[];
}

/** The likeliest other tokens, and where the token stands among them. */
function Beaten({ index, id, logprob, others }: BeatenProps) {
  const rivals = others.filter((other) => other.id !== id).slice(0, BEATEN);
  const beaten = rivals.filter((other) => other.logprob <= logprob).length;
  const largest = Math.max(logprob, rivals[0]?.logprob ?? logprob);
  const rows = [...rivals, { id, token: tokens.value.texts[index]!, logprob }].sort(
    (a, b) => b.logprob - a.logprob || Number(b.id === id) - Number(a.id === id),
  );
  const title =
    beaten === rivals.length
      ? "The likeliest, and those that it beat"
      : beaten === 0
        ? "Others were likelier"
        : "Beside others";
  return (
    <div class="beaten">
      <h3>{title}</h3>
      <ol class="bars">
        {rows.map((row) => (
          <li
            key={row.id}
            style={{ "--after": `${100 * Math.exp(row.logprob - largest)}%` }}
            class={row.id === id ? "own" : undefined}
          >
            {row.id === id ? (
              <span class="bar-token">{shownToken(row.token)}</span>
            ) : (
              <button
                type="button"
                class="bar-token"
                title="Write this one instead"
                onClick={() => {
                  stop();
                  takeBranch(index, row.id);
                  toEnd();
                }}
              >
                {shownToken(row.token)}
              </button>
            )}
            <span class="track" />
            <span class="figure">{percent(Math.exp(row.logprob))}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
