import { computed, signal } from "@preact/signals";
import { open } from "../engine/load.ts";
import { DTYPES, type Dtype, linkedHub } from "../state.ts";

/** Models that are known to run, and what their files weigh. */
const KNOWN = [
  { name: "distilbert/distilgpt2", about: "82 million parameters, 353 MB" },
  { name: "openai-community/gpt2", about: "124 million, 548 MB" },
  { name: "openai-community/gpt2-medium", about: "355 million, 1.5 GB" },
] as const;

const ABOUT: Readonly<Record<Dtype, string>> = {
  int8: "8-bit integers: a quarter of the size, converted once",
  bf16: "bfloat16: half the size, converted once",
  f32: "float32: all the digits there are",
};

const name = signal("");
export const dtype = signal<Dtype>("int8");
const hub = signal(linkedHub.peek() ?? "");
/** Another server than the Hub, if one is named. */
export const endpoint = computed(() => hub.value.trim() || undefined);

/** A model of the Hugging Face Hub, by its name. */
export function FromHub() {
  return (
    <section class="card" aria-labelledby="hub-title">
      <h2 class="part-title" id="hub-title">
        From the Hugging Face Hub
      </h2>
      <form
        class="hub"
        onSubmit={(event) => {
          event.preventDefault();
          void open({ from: "hub", name: name.value.trim(), dtype: dtype.value, endpoint: endpoint.value });
        }}
      >
        <label>
          <span>Name</span>
          <input
            type="text"
            required
            list="known-models"
            placeholder="openai-community/gpt2"
            autocapitalize="off"
            autocomplete="off"
            spellcheck={false}
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value;
            }}
          />
        </label>
        <datalist id="known-models">
          {KNOWN.map(({ name, about }) => (
            <option key={name} value={name}>
              {about}
            </option>
          ))}
        </datalist>
        <label>
          <span>Weights as</span>
          <select
            value={dtype.value}
            onChange={(event) => {
              dtype.value = event.currentTarget.value as Dtype;
            }}
          >
            {[...DTYPES].reverse().map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="main">
          Download
        </button>
        <p class="quiet whole">
          {ABOUT[dtype.value]}. It is downloaded once and kept in this browser; nothing you type leaves it.
        </p>
        <ul class="suggestions whole" aria-label="Models that are known to run">
          {KNOWN.map((known) => (
            <li key={known.name}>
              <button
                type="button"
                class="link"
                onClick={() => {
                  name.value = known.name;
                }}
              >
                {known.name}
              </button>{" "}
              <span class="quiet">{known.about}</span>
            </li>
          ))}
        </ul>
        <details class="whole" open={hub.value !== ""}>
          <summary>Another hub</summary>
          <label>
            <span>Its address</span>
            <input
              type="url"
              placeholder="https://huggingface.co"
              value={hub.value}
              onInput={(event) => {
                hub.value = event.currentTarget.value;
              }}
            />
          </label>
        </details>
      </form>
    </section>
  );
}
