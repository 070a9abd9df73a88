import type { Axis } from "@gpt2-ts/gpt2/look";

/** A shape in letters, each in its colour. */
export function Shape({ axes }: { readonly axes: readonly Axis[] }) {
  return (
    <span class="shape">
      [
      {axes.map((axis, i) => (
        <>
          {i > 0 && ", "}
          <b class={`k-${axis.at(-1)}`}>{axis}</b>
        </>
      ))}
      ]
    </span>
  );
}
