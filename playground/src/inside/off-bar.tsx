import { switchedOff } from "../state.ts";
import "./off-bar.css";
import { nameOf, toggled } from "./switches.ts";

/** What is switched off, to be seen from everywhere; nothing if all is on. */
export function OffBar() {
  const off = switchedOff.value;
  if (off.length === 0) return null;
  return (
    <fieldset class="off-bar" aria-label="Switched off">
      <strong>Off</strong>
      {off.map((place) => (
        <button
          key={place}
          type="button"
          class="off-chip"
          aria-label={`Switch on ${nameOf(place)}`}
          onClick={() => (switchedOff.value = toggled(off, place))}
        >
          {nameOf(place)} <span aria-hidden="true">×</span>
        </button>
      ))}
      <button type="button" class="link" onClick={() => (switchedOff.value = [])}>
        Switch all on
      </button>
    </fieldset>
  );
}
