import type { Trace } from "@gpt2-ts/gpt2/look";
import { Strip } from "../heat/strip.tsx";
import { head, layer, switchedOff } from "../state.ts";
import type { Looked } from "./looked.ts";
import { Panel } from "./panel.tsx";
import { headPlace, mlpPlace, toggled } from "./switches.ts";
import { useAnswer } from "./use-answer.ts";

/** Numbers of patterns that are copied from the worker at once: 16 MiB. */
const AT_ONCE = 2 ** 22;

/** All heads, as small attention maps to choose from, and the switches of heads and MLPs. */
export function HeadsView({ seen }: { readonly seen: Looked }) {
  const { model, ids, off, key } = seen;
  const { nLayer, nHead } = model.config;
  const T = ids.length;
  const all = nLayer * nHead * T * T <= AT_ONCE;
  const rows = Math.min(T, Math.floor(AT_ONCE / (nHead * T)));
  const answer = useAnswer(nLayer === 0 ? undefined : `${key} ${all || seen.layer}`, (signal): Promise<Trace> => {
    const places = [all ? "h.*.attn.pattern" : `h.${seen.layer}.attn.pattern`];
    return model.trace(ids, { places, slice: { T: [T - rows, T] }, ablate: off, alone: true, signal });
  });
  const patternOf = (block: number, index: number) => {
    const value = answer.value?.values.find(({ name }) => name === `h.${block}.attn.pattern`);
    if (value === undefined) return undefined;
    const [, own = 0, columns = 0] = value.shape;
    return { data: value.data.subarray(index * own * columns, (index + 1) * own * columns), columns };
  };
  const blocks = Array.from({ length: nLayer }, (_, i) => i);
  return (
    <Panel
      title="Heads and MLPs"
      about="Each square is a head: rows attend, columns are attended to. Choose one to see it below; the switch under it takes it out of the model."
      answer={nLayer === 0 ? { value: true, waiting: false, error: undefined } : answer}
    >
      <div class="scrolls">
        <table class="heads">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              {Array.from({ length: nHead }, (_, i) => (
                <th key={i} scope="col" class="k-H">
                  {i}
                </th>
              ))}
              <th scope="col">MLP</th>
            </tr>
          </thead>
          <tbody>
            {blocks.map((block) => (
              <tr key={block}>
                <th scope="row">{block}</th>
                {Array.from({ length: nHead }, (_, index) => {
                  const pattern = patternOf(block, index);
                  const place = headPlace(block, index);
                  const chosen = block === seen.layer && index === seen.head;
                  return (
                    <td key={index} class={off.includes(place) ? "is-off" : ""}>
                      <button
                        type="button"
                        class="head"
                        aria-pressed={chosen}
                        aria-label={`Layer ${block}, head ${index}`}
                        onClick={() => {
                          layer.value = block;
                          head.value = index;
                        }}
                      >
                        {pattern && (
                          <Strip class="thumbnail" values={pattern.data} columns={pattern.columns} scale="share" />
                        )}
                      </button>
                      <Switch place={place} off={off} name={`Head ${index} of layer ${block}`} />
                    </td>
                  );
                })}
                <td class={off.includes(mlpPlace(block)) ? "is-off mlp" : "mlp"}>
                  <span class="mlp-box" aria-hidden="true">
                    MLP
                  </span>
                  <Switch place={mlpPlace(block)} off={off} name={`MLP of layer ${block}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(!all || rows < T) && (
        <p class="note">
          The text is long: {all ? "" : `squares are those of layer ${seen.layer}`}
          {rows < T ? `, and of its last ${rows} tokens` : ""}.
        </p>
      )}
    </Panel>
  );
}

function Switch({
  place,
  off,
  name,
}: {
  readonly place: string;
  readonly off: readonly string[];
  readonly name: string;
}) {
  const on = !off.includes(place);
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-checked={on}
      aria-label={name}
      onClick={() => (switchedOff.value = toggled(off, place))}
    >
      {on ? "on" : "off"}
    </button>
  );
}
