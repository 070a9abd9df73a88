import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Answer } from "./use-answer.ts";

/** A piece of a part: its heading, what it is about, and what the model answers. */
export function Panel({
  title,
  about,
  answer,
  children,
}: {
  readonly title: string;
  readonly about: ComponentChildren;
  readonly answer: Pick<Answer<unknown>, "value" | "waiting" | "error">;
  readonly children: ComponentChildren;
}) {
  const heading = useId();
  return (
    <section class="panel" aria-labelledby={heading} aria-busy={answer.waiting}>
      <h3 id={heading}>{title}</h3>
      <p class="about">{about}</p>
      {answer.error !== undefined ? (
        <p class="problem" role="alert">
          {answer.error.message}
        </p>
      ) : answer.value === undefined ? (
        <p class="nothing">Running the pass…</p>
      ) : (
        <div class={answer.waiting ? "answered stale" : "answered"}>{children}</div>
      )}
    </section>
  );
}
