import { parameterCount } from "@gpt2-ts/gpt2";
import { count, megabytes, rate, seconds } from "../format.ts";
import { firstText, info, session, speed } from "../state.ts";

/** What runs, and what it takes. */
export function WhatRuns() {
  const running = session.value;
  const known = info.value;
  if (running === undefined || known === undefined) {
    return (
      <section class="card" aria-label="What runs">
        <h2 class="part-title">What runs</h2>
        <p class="quiet">Nothing yet.</p>
      </section>
    );
  }
  const { nLayer, nHead, nEmbd, nPositions, vocabSize } = running.model.config;
  const { reading, writing } = speed.value;
  return (
    <section class="card" aria-labelledby="runs-title">
      <h2 class="part-title" id="runs-title">
        What runs
      </h2>
      <dl class="facts wide">
        <dt>Model</dt>
        <dd>{running.title}</dd>
        <dt>Size</dt>
        <dd>
          {count(parameterCount(running.model.config))} parameters: {count(nLayer)} layers of {count(nHead)} heads,{" "}
          {count(nEmbd)} channels, {count(nPositions)} positions, {count(vocabSize)} tokens
        </dd>
        <dt>Weights</dt>
        <dd>
          {known.dtype}; keys and values {known.cacheDtype}
        </dd>
        <dt>Threads</dt>
        <dd>
          {known.threads === undefined ? known.device : count(known.threads)}
          {!globalThis.crossOriginIsolated && (
            <span class="quiet">
              {" "}
              (this page is not isolated: more need <a href="../docs/browser.html#threads-two-headers">two headers</a>)
            </span>
          )}
        </dd>
        <dt>Memory</dt>
        <dd>
          {known.usedBytes === undefined || known.memoryBytes === undefined
            ? "not counted"
            : `${megabytes(known.usedBytes)} in use, ${megabytes(known.memoryBytes)} reserved`}
        </dd>
        <dt>Speed</dt>
        <dd>
          {writing === undefined ? "writes: not measured yet" : `writes ${rate(writing)} tokens/s`}
          {reading !== undefined && `, reads ${rate(reading)} tokens/s`}
        </dd>
        <dt>Loaded in</dt>
        <dd>
          {seconds(running.loadTime)}
          {firstText.value !== undefined && (
            <span class="quiet">
              {" "}
              (first text <span data-value="first-text">{seconds(firstText.value)}</span> after this page was opened)
            </span>
          )}
        </dd>
        {running.warnings.length > 0 && (
          <>
            <dt>It says</dt>
            <dd>{running.warnings.join(" ")}</dd>
          </>
        )}
      </dl>
    </section>
  );
}
