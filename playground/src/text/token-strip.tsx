import { shownToken } from "@gpt2-ts/gpt2/draw";
import { useLayoutEffect, useRef } from "preact/hooks";
import { bits, bitsOf } from "../format.ts";
import { chosenToken, place, session, tokens } from "../state.ts";
import { logprobs, scoreOf, scoring } from "./scoring.ts";

/** Bits from which on the colour does not grow, as in the library's own pictures. */
const MOST_BITS = 12;
const share = (value: number): string => `${Math.round(100 * (0.03 + 0.57 * Math.min(1, value / MOST_BITS)))}%`;

/** The tokens on the colour of their surprise; one of them, or the place behind them, is looked at. */
export function TokenStrip() {
  const list = useRef<HTMLDivElement>(null);
  const { ids, texts } = tokens.value;
  const at = place.value;
  useLayoutEffect(() => {
    // The one that is looked at is to be seen; the page stays where it is.
    const box = list.current;
    const token = box?.querySelector(`[data-index="${at}"]`)?.getBoundingClientRect();
    if (!box || !token) return;
    const frame = box.getBoundingClientRect();
    if (token.top < frame.top) box.scrollTop += token.top - frame.top - token.height;
    else if (token.bottom > frame.bottom) box.scrollTop += token.bottom - frame.bottom + token.height;
  }, [at, session.value, ids.length]);
  if (session.value === undefined) return <Waiting />;
  const choose = (index: number): void => {
    chosenToken.value = index >= ids.length ? undefined : index;
    list.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = {
      ArrowRight: place.value + 1,
      ArrowDown: place.value + 1,
      ArrowLeft: place.value - 1,
      ArrowUp: place.value - 1,
      Home: 0,
      End: ids.length,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(to, ids.length)));
  };
  return (
    <div class="strip">
      <h2 class="part-title" id="tokens-title">
        Tokens
      </h2>
      <div
        class="tokens"
        role="listbox"
        tabIndex={-1}
        aria-labelledby="tokens-title"
        aria-orientation="horizontal"
        ref={list}
        onKeyDown={onKeyDown}
      >
        {texts.map((token, i) => (
          <Token key={`${i}:${ids[i]}`} index={i} token={token} choose={choose} />
        ))}
        <div
          class="token next"
          role="option"
          data-index={ids.length}
          aria-selected={place.value === ids.length}
          aria-label="what comes next"
          tabIndex={place.value === ids.length ? 0 : -1}
          onClick={() => choose(ids.length)}
          onKeyDown={undefined}
        >
          next
        </div>
      </div>
      <Legend />
    </div>
  );
}

interface TokenProps {
  readonly index: number;
  readonly token: string;
  readonly choose: (index: number) => void;
}

function Token({ index, token, choose }: TokenProps) {
  const score = scoreOf(index);
  const surprise = score && bitsOf(score.logprob);
  const chosen = place.value === index;
  const label = surprise === undefined ? "given" : `${bits(surprise)} bits of surprise`;
  return (
    <>
      <div
        class={`token${surprise === undefined ? " given" : ""}`}
        role="option"
        data-index={index}
        aria-selected={chosen}
        aria-label={`${spoken(token)}, ${label}`}
        tabIndex={chosen ? 0 : -1}
        style={surprise === undefined ? undefined : { "--share": share(surprise) }}
        onClick={() => choose(index)}
        onKeyDown={undefined}
      >
        {shownToken(token)}
      </div>
      {token.endsWith("\n") && <br />}
    </>
  );
}

/** A token as it is read out. */
function spoken(token: string): string {
  if (token.trim() === "") return token.includes("\n") ? "line break" : "blank";
  return token.startsWith(" ") ? `blank ${token.trim()}` : token;
}

const STEPS = [0, 2, 4, 6, 8, 10, 12];

function Legend() {
  const all = logprobs.value;
  const { busy, error } = scoring.value;
  const mean = all && all.length > 0 ? all.reduce((sum, each) => sum + bitsOf(each), 0) / all.length : undefined;
  return (
    <div class="legend quiet">
      <span class="scale" aria-hidden="true">
        {STEPS.map((step) => (
          <span key={step} class="swatch" style={{ "--share": share(step) }}>
            {step === MOST_BITS ? `${step}+` : step}
          </span>
        ))}
      </span>
      <span>bits of surprise</span>
      {error ? (
        <span class="bad">{error.message}</span>
      ) : (
        mean !== undefined && (
          <span class="mean">
            {bits(mean)} on average: as unsure as among {bits(2 ** mean)} equal choices
          </span>
        )
      )}
      {busy && <span class="unseen">computing</span>}
    </div>
  );
}

function Waiting() {
  return (
    <div class="strip">
      <h2 class="part-title">Tokens</h2>
      <div class="tokens waiting" aria-hidden="true" />
    </div>
  );
}
