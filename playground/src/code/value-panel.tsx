import { shownToken } from "@gpt2-ts/gpt2/draw";
import type { Place } from "@gpt2-ts/gpt2/look";
import { type Cell, HeatMap } from "../heat/heat-map.tsx";
import { shownNumber, shownShare } from "../heat/numbers.ts";
import type { Looked } from "../inside/looked.ts";
import type { Answer } from "../inside/use-answer.ts";
import { chosenToken } from "../state.ts";
import { Shape } from "./shape.tsx";
import type { Step } from "./steps.ts";
import { elementName, explained, type Matrix, matrixOf, rowOf, type Values } from "./values.ts";

/** Numbers of the chosen token's row that are written out. */
const WRITTEN = 8;

/** The tensor that the current line makes. */
export function ValuePanel({
  seen,
  step,
  current,
  answer,
  onPlace,
}: {
  readonly seen: Looked;
  readonly step: Step;
  readonly current: Place;
  readonly answer: Answer<Values>;
  readonly onPlace: (name: string) => void;
}) {
  const matrix = answer.value && matrixOf(answer.value, current.name, seen.head);
  return (
    <aside class="value" aria-label="The tensor of this line" aria-busy={answer.waiting}>
      {step.places.length > 1 && (
        <fieldset class="tensors" aria-label="Tensors of this line">
          {step.places.map(({ name }) => (
            <button key={name} type="button" aria-pressed={name === current.name} onClick={() => onPlace(name)}>
              {name.replace(/^h\.\d+\./, "")}
            </button>
          ))}
        </fieldset>
      )}
      <h3>
        <code>{current.name}</code> <Shape axes={current.axes} />
      </h3>
      <p class="explained">{explained(current.name)}</p>
      {answer.error !== undefined && (
        <p class="problem" role="alert">
          {answer.error.message}
        </p>
      )}
      {matrix === undefined && answer.error === undefined && <p class="nothing">Running the pass…</p>}
      {matrix && answer.value && (
        <Value seen={seen} matrix={matrix} tokens={answer.value.trace.tokens} off={isOff(seen, current.name)} />
      )}
    </aside>
  );
}

function isOff({ off }: Looked, place: string): boolean {
  return off.includes(place);
}

function Value({
  seen,
  matrix,
  tokens,
  off,
}: {
  readonly seen: Looked;
  readonly matrix: Matrix;
  readonly tokens: readonly string[];
  readonly off: boolean;
}) {
  const { place, axes, shape, data, columns, firstRow } = matrix;
  const rows = data.length / columns;
  const isPattern = place.endsWith(".pattern");
  const tell = ({ row, column }: Cell): string => {
    const value = data[row * columns + column]!;
    const token = row + firstRow;
    const of = `token ${token} “${shownToken(tokens[token]!)}”`;
    const to =
      axes[0] === "H"
        ? `, to token ${column} “${shownToken(tokens[column]!)}”`
        : `, ${columnName(seen, matrix, column)}`;
    return `${elementName(matrix, row, column)} = ${shownNumber(value)}\n${of}${to}${isPattern ? `: ${shownShare(value)}` : ""}`;
  };
  const row = rowOf(matrix, seen.token);
  return (
    <>
      <p class="sizes">
        <Shape axes={axes} /> = [{shape.map((size) => size.toLocaleString("en")).join(", ")}]
        {matrix.head !== undefined && <>, head {matrix.head}</>}
        {rows < tokens.length && (
          <>
            , rows {firstRow} to {firstRow + rows - 1}
          </>
        )}
        {off && <strong class="off"> switched off</strong>}
      </p>
      <HeatMap
        name={`Values of ${place}`}
        values={data}
        columns={columns}
        scale={isPattern ? "share" : "signed"}
        tell={tell}
        start={{ row: seen.token - firstRow, column: 0 }}
        marked={seen.token - firstRow}
        onRow={(next) => {
          chosenToken.value = next + firstRow;
        }}
      />
      {row && place !== "logits" && (
        <p class="row-numbers">
          <span class="label">
            Token {seen.token} “{shownToken(tokens[seen.token]!)}”
          </span>
          {Array.from(row.subarray(0, WRITTEN), (value, i) => (
            <span key={i} class="digits">
              {shownNumber(value)}
            </span>
          ))}
          {row.length > WRITTEN && <span class="label">and {(row.length - WRITTEN).toLocaleString("en")} more</span>}
        </p>
      )}
      {row && place === "logits" && <Highest seen={seen} row={row} />}
    </>
  );
}

function columnName({ model }: Looked, { place, axes }: Matrix, column: number): string {
  if (place === "logits") return `next “${shownToken(model.tokenizer.tokens([column])[0]!)}”`;
  return axes.at(-1) === "F" ? `neuron ${column}` : `channel ${column}`;
}

/** The tokens with the highest logits of a row. */
function Highest({ seen, row }: { readonly seen: Looked; readonly row: Float32Array }) {
  const best: number[] = [];
  for (const [id, logit] of row.entries()) {
    const at = best.findIndex((other) => logit > row[other]!);
    if (at >= 0) best.splice(at, 0, id);
    else if (best.length < WRITTEN) best.push(id);
    if (best.length > WRITTEN) best.pop();
  }
  return (
    <table class="highest">
      <caption>The highest after token {seen.token}</caption>
      <tbody>
        {best.map((id) => (
          <tr key={id}>
            <th scope="row">{shownToken(seen.model.tokenizer.tokens([id])[0]!)}</th>
            <td>{shownNumber(row[id]!)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
