import type { Loading } from "../state.ts";

/** A model on its way. */
export function Progress({ of: { title, phase, share, detail, cancel } }: { readonly of: Loading }) {
  const percent = share === undefined ? undefined : Math.floor(100 * share);
  return (
    <div class="notice progress">
      <p>
        <strong>{title}</strong> <span class="quiet">{detail === "" ? phase : `${phase}: ${detail}`}</span>
      </p>
      <button type="button" class="link" onClick={cancel}>
        Cancel
      </button>
      <div
        class={percent === undefined ? "rail unknown" : "rail"}
        role="progressbar"
        aria-label={`${title}: ${phase}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        style={{ "--done": `${percent ?? 0}%` }}
      />
    </div>
  );
}
