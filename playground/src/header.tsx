import { useState } from "preact/hooks";
import { announce } from "./engine/announce.ts";
import { count, rate } from "./format.ts";
import { info, loading, session, speed, type View, view } from "./state.ts";
import { switchTheme, theme } from "./theme.ts";
import { linkNow } from "./url.ts";
import { TITLES, VIEWS_THERE } from "./views.ts";

export function Header() {
  return (
    <header class="top">
      <p class="home">
        <a href="../index.html">gpt2-ts</a>
      </p>
      <h1>Playground</h1>
      <Tabs />
      <div class="corner">
        <Running />
        <CopyLink />
        <button
          type="button"
          class="plain"
          onClick={switchTheme}
          aria-label={theme.value === "dark" ? "Light colours" : "Dark colours"}
          title={theme.value === "dark" ? "Light" : "Dark"}
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5" />
            <path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
          </svg>
        </button>
      </div>
    </header>
  );
}

function Tabs() {
  const choose = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = VIEWS_THERE.indexOf(view.value);
    const next = by === undefined ? { Home: 0, End: VIEWS_THERE.length - 1 }[event.key] : at + by;
    if (next === undefined) return;
    event.preventDefault();
    view.value = VIEWS_THERE.at(next % VIEWS_THERE.length)!;
    document.getElementById(`tab-${view.value}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Parts of the page" onKeyDown={choose}>
      {VIEWS_THERE.map((each: View) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`tab-${each}`}
          aria-selected={view.value === each}
          aria-controls="part"
          tabIndex={view.value === each ? 0 : -1}
          onClick={() => {
            view.value = each;
          }}
        >
          {TITLES[each]}
        </button>
      ))}
    </div>
  );
}

/** Everything that is chosen is in the address. */
function CopyLink() {
  const [said, say] = useState("Copy link");
  return (
    <button
      type="button"
      class="link"
      onClick={async () => {
        try {
          await navigator.clipboard.writeText(linkNow());
          say("Copied");
          announce("The link is copied.");
        } catch {
          say("It is in the address bar");
        }
        setTimeout(() => say("Copy link"), 2000);
      }}
    >
      {said}
    </button>
  );
}

/** What runs, in a line; all of it is on the page of models. */
function Running() {
  const model = session.value;
  const { threads, dtype } = info.value ?? {};
  const { writing } = speed.value;
  const facts = [
    dtype,
    threads !== undefined && `${count(threads)} thread${threads === 1 ? "" : "s"}`,
    writing !== undefined && `${rate(writing)} tokens/s`,
  ].filter(Boolean);
  const coming = loading.value;
  return (
    <button
      type="button"
      class="running"
      title="What runs"
      onClick={() => {
        view.value = "models";
      }}
    >
      <span class="running-name">{model?.title ?? coming?.title ?? "No model"}</span>
      <span class="running-facts">{coming ? `${coming.phase} …` : facts.join(" · ")}</span>
    </button>
  );
}
