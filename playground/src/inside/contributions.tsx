import { shownToken } from "@gpt2-ts/gpt2/draw";
import type { Contribution } from "@gpt2-ts/gpt2/look";
import { shownShare, signedNumber } from "../heat/numbers.ts";
import { switchedOff } from "../state.ts";
import type { Looked } from "./looked.ts";
import { Panel } from "./panel.tsx";
import type { Predictions } from "./predictions.ts";
import { toggled } from "./switches.ts";
import { against, target } from "./target.ts";
import { type Answer, useAnswer } from "./use-answer.ts";

/** Which heads and MLPs push a token up or down. */
export function ContributionsView({
  seen,
  predictions,
}: {
  readonly seen: Looked;
  readonly predictions: Answer<Predictions>;
}) {
  const { model, ids, token, off, key } = seen;
  const { vocabSize } = model.config;
  const [wanted, other] = [target.value, against.value].map((id) =>
    id !== undefined && id < vocabSize ? id : undefined,
  );
  const answer = useAnswer(`${key} ${token} ${wanted} ${other}`, (signal) =>
    model.contributions(ids, { position: token, target: wanted, against: other, ablate: off, alone: true, signal }),
  );
  const value = answer.value;
  const candidates = candidatesOf(seen, predictions.value, [wanted, other]);
  const about = (
    <>
      A logit is a sum, with a term for each head and each MLP: what they wrote into the stream, read by the output
      layer. What a part does by way of later ones counts for those.
    </>
  );
  return (
    <Panel title="What pushes a token up or down" about={about} answer={answer}>
      {value && (
        <>
          <div class="pickers">
            <CandidatePicker
              label="Why"
              none={`the likeliest (${shownToken(value.target.token)})`}
              candidates={candidates}
              value={wanted}
              onChange={(id) => (target.value = id)}
            />
            <CandidatePicker
              label="rather than"
              none="nothing else"
              candidates={candidates.filter(({ id }) => id !== value.target.id)}
              value={other}
              onChange={(id) => (against.value = id)}
            />
            <p class="sum">
              after “{shownToken(value.tokens[value.position]!)}”: {value.against ? "difference of logits" : "logit"}{" "}
              <output>{signedNumber(value.logit, 4)}</output>
            </p>
          </div>
          <Parts parts={value.parts} off={off} />
        </>
      )}
    </Panel>
  );
}

interface Candidate {
  readonly id: number;
  readonly label: string;
}

/** What may be asked about: the likeliest here, what does come, and what was chosen elsewhere. */
function candidatesOf(
  { model, ids, token }: Looked,
  predictions: Predictions | undefined,
  chosen: readonly (number | undefined)[],
): Candidate[] {
  const likeliest = predictions?.now.top[token] ?? [];
  const listed = likeliest.map(({ id, token: text, probability }) => ({
    id,
    label: `${shownToken(text)}  ${shownShare(probability)}`,
  }));
  for (const id of [ids[token + 1], ...chosen]) {
    if (id === undefined || listed.some((each) => each.id === id)) continue;
    listed.push({ id, label: shownToken(model.tokenizer.tokens([id])[0]!) });
  }
  return listed;
}

function CandidatePicker({
  label,
  none,
  candidates,
  value,
  onChange,
}: {
  readonly label: string;
  readonly none: string;
  readonly candidates: readonly Candidate[];
  readonly value: number | undefined;
  readonly onChange: (id: number | undefined) => void;
}) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={value ?? ""}
        onChange={({ currentTarget }) => onChange(currentTarget.value === "" ? undefined : Number(currentTarget.value))}
      >
        <option value="">{none}</option>
        {candidates.map(({ id, label: text }) => (
          <option key={id} value={id}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Parts that are listed by their size, of each sign. */
const LISTED = 5;

function Parts({ parts, off }: { readonly parts: readonly Contribution[]; readonly off: readonly string[] }) {
  const strongest = Math.max(1e-9, ...parts.map(({ logit }) => Math.abs(logit)));
  const heads = parts.filter(({ part }) => part.startsWith("h.0.attn.head.")).length;
  const layers = parts.filter(({ part }) => part.endsWith(".mlp.cProj")).length;
  const logits = new Map(parts.map(({ part, logit }) => [part, logit]));
  const cell = (part: string) => (
    <PartCell key={part} part={part} logit={logits.get(part) ?? 0} strongest={strongest} off={off} />
  );
  const sorted = parts.toSorted((a, b) => b.logit - a.logit);
  return (
    <>
      <div class="ranks">
        <Rank
          title="Push it up"
          parts={sorted.slice(0, LISTED).filter(({ logit }) => logit > 0)}
          strongest={strongest}
        />
        <Rank
          title="Push it down"
          parts={sorted
            .slice(-LISTED)
            .reverse()
            .filter(({ logit }) => logit < 0)}
          strongest={strongest}
        />
      </div>
      <section
        class="scrolls"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        tabIndex={0}
        aria-label="All parts"
      >
        <table class="contributions">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              {Array.from({ length: heads }, (_, i) => (
                <th key={i} scope="col" class="k-H">
                  {i}
                </th>
              ))}
              {layers > 0 && <th scope="col">bias</th>}
              {layers > 0 && <th scope="col">MLP</th>}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: layers }, (_, l) => (
              <tr key={l}>
                <th scope="row">{l}</th>
                {Array.from({ length: heads }, (_, h) => cell(`h.${l}.attn.head.${h}`))}
                {cell(`h.${l}.attn.cProj.bias`)}
                {cell(`h.${l}.mlp.cProj`)}
              </tr>
            ))}
            {["wte", "wpe", "lnF.bias"].map((part) => (
              <tr key={part}>
                <th scope="row">
                  <code>{part}</code>
                </th>
                {cell(part)}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function PartCell({
  part,
  logit,
  strongest,
  off,
}: {
  readonly part: string;
  readonly logit: number;
  readonly strongest: number;
  readonly off: readonly string[];
}) {
  const strength = Math.sqrt(Math.abs(logit) / strongest);
  const kind = `part ${logit < 0 ? "down" : "up"} ${off.includes(part) ? "is-off" : ""}`;
  const shown = signedNumber(logit);
  if (!/head|mlp/.test(part)) {
    return (
      <td class={kind} style={{ "--strength": strength }} title={`${part}: ${signedNumber(logit, 4)}`}>
        {shown}
      </td>
    );
  }
  return (
    <td class={kind} style={{ "--strength": strength }}>
      <button
        type="button"
        title={`${part}: ${signedNumber(logit, 4)}. Click to switch it ${off.includes(part) ? "on" : "off"}`}
        aria-label={`${part}: ${shown}`}
        aria-pressed={off.includes(part)}
        onClick={() => (switchedOff.value = toggled(off, part))}
      >
        {off.includes(part) ? "off" : shown}
      </button>
    </td>
  );
}

function Rank({
  title,
  parts,
  strongest,
}: {
  readonly title: string;
  readonly parts: readonly Contribution[];
  readonly strongest: number;
}) {
  return (
    <div class="rank">
      <h4>{title}</h4>
      {parts.length === 0 && <p class="nothing">Nothing does.</p>}
      <ol>
        {parts.map(({ part, logit }) => (
          <li key={part} class={logit < 0 ? "down" : "up"}>
            <code>{part}</code>
            <span class="amount" style={{ width: `${(100 * Math.abs(logit)) / strongest}%` }} />
            <data value={logit}>{signedNumber(logit)}</data>
          </li>
        ))}
      </ol>
    </div>
  );
}
