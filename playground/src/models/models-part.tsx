import { open } from "../engine/load.ts";
import { SHIPPED } from "../engine/shipped.ts";
import { session } from "../state.ts";
import { FromFolder } from "./from-folder.tsx";
import { FromHub } from "./from-hub.tsx";
import { Kept } from "./kept.tsx";
import { WhatRuns } from "./what-runs.tsx";
import "./models.css";

/** Which model runs, and where others come from. */
export function ModelsPart() {
  return (
    <div class="models-part">
      <div>
        <WhatRuns />
        <FromHub />
      </div>
      <div>
        <Shipped />
        <Kept />
        <FromFolder />
      </div>
    </div>
  );
}

/** The models that lie beside the page. */
function Shipped() {
  return (
    <section class="card" aria-labelledby="shipped-title">
      <h2 class="part-title" id="shipped-title">
        With this page
      </h2>
      <ul class="rows">
        {SHIPPED.map((choice) => {
          const runs = session.value?.choice.from === "page" && session.value.choice.folder === choice.folder;
          return (
            <li key={choice.folder}>
              <p>
                <strong>{choice.title}</strong> <span class="quiet">{choice.about}</span>
              </p>
              <button type="button" disabled={runs} onClick={() => void open(choice)}>
                {runs ? "Runs" : "Load"}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
