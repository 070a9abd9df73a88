import { decline, open } from "../engine/load.ts";
import { SHIPPED } from "../engine/shipped.ts";
import { failure, loading, offer, session, view } from "../state.ts";
import { unreadable } from "../url.ts";
import { explain } from "./explain.ts";
import { Progress } from "./progress.tsx";
import "./models.css";

/** What is on its way, what went wrong, and what a link asks for. */
export function Notices() {
  return (
    <div class="notices">
      {loading.value && <Progress of={loading.value} />}
      <FailureNotice />
      <OfferNotice />
      {unreadable.value.length > 0 && (
        <p class="notice" role="note">
          The address has parts that mean nothing here, and were left out:{" "}
          <span class="mono">{unreadable.value.join(", ")}</span>
        </p>
      )}
    </div>
  );
}

function FailureNotice() {
  const failed = failure.value;
  if (failed === undefined) return null;
  const { said, ways } = explain(failed);
  const running = session.value;
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{failed.title} could not be loaded.</strong> {said}
      </p>
      {running && <p>{running.title} is still there.</p>}
      <div class="bar">
        {ways.map(({ label, choice }) => (
          <button
            key={label}
            type="button"
            onClick={() => {
              if (choice) void open(choice);
              else view.value = "models";
            }}
          >
            {label}
          </button>
        ))}
        {running === undefined && failed.choice.from !== "page" && (
          <button type="button" onClick={() => void open(SHIPPED[0]!)}>
            Load the shipped model
          </button>
        )}
        <button
          type="button"
          class="link"
          onClick={() => {
            failure.value = undefined;
          }}
        >
          Dismiss
        </button>
      </div>
    </div>
  );
}

/** A link was made with a model that is not here yet. */
function OfferNotice() {
  const offered = offer.value;
  if (offered === undefined || loading.value?.choice === offered) return null;
  return (
    <div class="notice" role="note">
      <p>
        This link was made with <strong>{offered.name}</strong> as {offered.dtype}
        {offered.endpoint !== undefined && (
          <>
            {" "}
            from <span class="mono">{offered.endpoint}</span>
          </>
        )}
        , which this browser does not have yet. Until then you see what the shipped model makes of it.
      </p>
      <div class="bar">
        <button type="button" class="main" onClick={() => void open(offered)}>
          Download it
        </button>
        <button type="button" class="link" onClick={decline}>
          Stay with the shipped one
        </button>
      </div>
    </div>
  );
}
