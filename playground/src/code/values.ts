import type { Axis, Trace, TracedValue } from "@gpt2-ts/gpt2/look";
import type { Range } from "../inside/windows.ts";

/** The values of some rows of a text. */
export interface Values {
  readonly trace: Trace;
  /** Which tokens the rows are of. */
  readonly rows: Range;
}

/** A value as a matrix: a row for each token. */
export interface Matrix {
  readonly place: string;
  readonly axes: readonly Axis[];
  /** Of the whole value, not only of these rows. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
  readonly columns: number;
  /** The token of the first row. */
  readonly firstRow: number;
  /** Of values that have heads, the one that is shown. */
  readonly head: number | undefined;
}

/** The value at a place, of the chosen head where it has heads; undefined if it is not among the values. */
export function matrixOf({ trace, rows }: Values, place: string, head: number): Matrix | undefined {
  const single = /^(.*)\.head\.(\d+)$/.exec(place);
  const value = trace.values.find(({ name }) => name === (single === null ? place : `${single[1]}.y`));
  if (value === undefined) return undefined;
  const tokens = trace.ids.length;
  const shape = value.axes.map((axis, i) => (axis === "T" ? tokens : value.shape[i]!));
  const common = { place, axes: value.axes, shape, firstRow: rows[0] };
  if (value.axes.length === 2) return { ...common, data: value.data, columns: value.shape[1]!, head: undefined };
  const columns = value.shape[2]!;
  if (value.axes[0] === "H") {
    const size = value.shape[1]! * columns;
    return { ...common, data: value.data.subarray(head * size, (head + 1) * size), columns, head };
  }
  const own = { ...common, data: ofHead(value, head), columns, head };
  return single === null ? own : { ...own, axes: ["T", "D"], shape: [tokens, columns] };
}

/** `[T, H, D]` → `[T, D]`. */
function ofHead({ data, shape }: TracedValue, head: number): Float32Array {
  const [rows = 0, heads = 0, size = 0] = shape;
  const own = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const start = (row * heads + head) * size;
    own.set(data.subarray(start, start + size), row * size);
  }
  return own;
}

/** One row of a matrix; undefined if the token is not among its rows. */
export function rowOf({ data, columns, firstRow }: Matrix, token: number): Float32Array | undefined {
  const row = token - firstRow;
  if (row < 0 || (row + 1) * columns > data.length) return undefined;
  return data.subarray(row * columns, (row + 1) * columns);
}

/** An element as one would write it in a program: `h.0.attn.query[12, 3, 17]`. */
export function elementName({ place, axes, head, firstRow }: Matrix, row: number, column: number): string {
  const token = row + firstRow;
  const indices = axes.length === 2 ? [token, column] : axes[0] === "H" ? [head, token, column] : [token, head, column];
  return `${place}[${indices.join(", ")}]`;
}

/** What a place's value is, in a few words. */
export function explained(place: string): string {
  const key = place
    .replace(/\.head\.\d+$/, ".head")
    .replace(/^h\.\d+\./, "")
    .replace(/^x\.\d+$/, "x");
  return EXPLAINED[key] ?? "";
}

const EXPLAINED: Readonly<Record<string, string>> = {
  wte: "What each token is: its row of the table of token embeddings.",
  wpe: "Where each token stands: the row of the table of position embeddings.",
  x: "The residual stream: what the model knows about each token so far.",
  ln1: "The stream normalized, for the attention to read.",
  "attn.cAttn": "Queries, keys and values of all heads, side by side.",
  "attn.query": "What the head looks for, for each token.",
  "attn.key": "What each token offers to those after it.",
  "attn.value": "What each token hands on to those that attend to it.",
  "attn.scores": "How well each query fits each key, before the softmax. −∞ for what comes later.",
  "attn.pattern": "Their softmax, the attention: each row shares out one whole.",
  "attn.y": "What the heads gather: values, averaged by attention.",
  "attn.head": "The same, of the chosen head.",
  "attn.cProj": "What the attention adds to the stream.",
  attended: "The stream between attention and MLP.",
  ln2: "The stream normalized, for the MLP to read.",
  "mlp.hidden": "The MLP’s neurons, after the activation function.",
  "mlp.cProj": "What the MLP adds to the stream.",
  lnF: "The stream after the last block, normalized.",
  logits: "A score for every token that could come next. The softmax makes probabilities of a row.",
};
