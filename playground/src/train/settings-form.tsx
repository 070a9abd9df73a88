import { count } from "../format.ts";
import { bytes } from "./format.ts";
import { FIELDS, type Field, problemOf } from "./settings.ts";
import { busy, chosen, estimated, rejected } from "./training.ts";

/** The shape of the model, and how it is trained. */
export function SettingsForm() {
  return (
    <section class="card" aria-labelledby="train-model-title">
      <h2 class="part-title" id="train-model-title">
        A model to learn it
      </h2>
      <fieldset class="train-fields" disabled={busy.value} aria-labelledby="train-model-title">
        {FIELDS.map((field) => (
          <NumberField key={field.name} field={field} />
        ))}
      </fieldset>
      <Estimated />
    </section>
  );
}

function NumberField({ field }: { readonly field: Field }) {
  const { name, label, note, min, max, isReal } = field;
  const wrong = rejected.value[name];
  const take = (input: HTMLInputElement): void => {
    const why = problemOf(input.valueAsNumber, field);
    const { [name]: _, ...others } = rejected.value;
    rejected.value = why === undefined ? others : { ...others, [name]: { typed: input.value, why } };
    if (why === undefined) chosen[name].value = input.valueAsNumber;
  };
  return (
    <div class="train-field">
      <label for={`train-${name}`}>{label}</label>
      <input
        id={`train-${name}`}
        type="number"
        min={min}
        max={max}
        step={isReal ? "any" : 1}
        value={wrong?.typed ?? chosen[name].value}
        aria-invalid={wrong !== undefined}
        aria-describedby={`train-${name}-note`}
        onInput={(event) => take(event.currentTarget)}
      />
      <p id={`train-${name}-note`} class={wrong ? "train-wrong" : "quiet"}>
        {wrong?.why ?? note}
      </p>
    </div>
  );
}

/** What it will take. */
function Estimated() {
  const found = estimated.value;
  if ("refused" in found)
    return (
      <p class="notice bad" role="alert">
        {found.refused}
      </p>
    );
  return (
    <p class="train-estimate">
      <strong>{count(found.parameters)}</strong> parameters. Training takes about{" "}
      <strong>{bytes(found.memory.total)}</strong> of memory.
    </p>
  );
}
