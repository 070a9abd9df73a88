import { AttentionView } from "./attention.tsx";
import { ContributionsView } from "./contributions.tsx";
import { EffectView } from "./effect.tsx";
import { HeadsView } from "./heads.tsx";
import "./inside.css";
import { LensView } from "./lens.tsx";
import { looked } from "./looked.ts";
import { Pickers } from "./pickers.tsx";
import { usePredictions } from "./predictions.ts";

/** What heads look at, what layers would say, what pushes a token up or down, and what happens without a head or an MLP. */
export function InsidePart() {
  const seen = looked();
  if ("nothing" in seen) {
    return (
      <section class="inside-part" aria-label="Inside">
        <p class="nothing">{seen.nothing}</p>
      </section>
    );
  }
  return <Inside seen={seen} />;
}

function Inside({ seen }: { readonly seen: Exclude<ReturnType<typeof looked>, { nothing: string }> }) {
  const predictions = usePredictions(seen);
  return (
    <section class="inside-part" aria-label="Inside">
      <div class="inside-choices">
        <Pickers seen={seen} />
      </div>
      <div class="switches">
        <HeadsView seen={seen} />
        <EffectView seen={seen} predictions={predictions} />
      </div>
      <AttentionView seen={seen} />
      <LensView seen={seen} />
      <ContributionsView seen={seen} predictions={predictions} />
    </section>
  );
}
