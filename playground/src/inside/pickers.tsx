import { shortToken } from "@gpt2-ts/gpt2/draw";
import { chosenToken, head, layer } from "../state.ts";
import type { Looked } from "./looked.ts";
import "./pickers.css";

/** Choosing token, layer and head. */
export function Pickers({ seen }: { readonly seen: Looked }) {
  const { tokens, token, model } = seen;
  return (
    <div class="pickers">
      <label>
        <span>Token</span>
        <select value={token} onChange={(event) => (chosenToken.value = Number(event.currentTarget.value))}>
          {tokens.map((text, t) => (
            <option key={t} value={t}>
              {t} {shortToken(text, 16)}
            </option>
          ))}
        </select>
      </label>
      <Numbers label="Layer" count={model.config.nLayer} value={seen.layer} onChange={(next) => (layer.value = next)} />
      <Numbers label="Head" count={model.config.nHead} value={seen.head} onChange={(next) => (head.value = next)} />
    </div>
  );
}

function Numbers({
  label,
  count,
  value,
  onChange,
}: {
  readonly label: string;
  readonly count: number;
  readonly value: number;
  readonly onChange: (value: number) => void;
}) {
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(Number(event.currentTarget.value))}>
        {Array.from({ length: count }, (_, i) => (
          <option key={i} value={i}>
            {i}
          </option>
        ))}
      </select>
    </label>
  );
}
