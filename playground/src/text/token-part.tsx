import { place, session, tokens } from "../state.ts";
import { NextToken } from "./next-token.tsx";
import { Sampling } from "./sampling.tsx";
import { TokenCard } from "./token-card.tsx";

/** The token that is looked at; what could stand in its place, and how it is drawn. */
export function TokenPart() {
  if (session.value === undefined) return null;
  return (
    <div class="token-part">
      {place.value < tokens.value.ids.length && <TokenCard index={place.value} />}
      <NextToken />
      <Sampling />
    </div>
  );
}
