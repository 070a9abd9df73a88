import { type DrawOptions, element, figure, type Markup, text } from "./svg.ts";
import { MONO, monoWidth, percent, shortToken } from "./tokens.ts";

const TEXT = 12;
const ROW = 34;
const LONGEST = 12;
/** Columns go on in another band below where they would be wider than this. */
const WIDEST = 960;

/** What is drawn of a logit lens, as `logitLens` gives it. */
export interface DrawnLens {
  readonly tokens: readonly string[];
  readonly layers: readonly {
    readonly place: string;
    readonly top: readonly (readonly { readonly token: string; readonly probability: number }[])[];
  }[];
}

/** What the model would say at each layer, as a table: a column for each token of the text, a row for each layer. */
export function drawLens({ tokens, layers }: DrawnLens, options: DrawOptions = {}): string {
  const columns = tokens.map((token, t) => {
    const words = [token, tokens[t + 1] ?? "", ...layers.map(({ top }) => top[t]![0]!.token)];
    return Math.max(44, ...words.map((word) => monoWidth(shortToken(word, LONGEST), TEXT) + 12));
  });
  const left = 116;
  const bands = banded(columns, WIDEST - left);
  const height = (layers.length + 2) * ROW - 8;
  const content = bands.flatMap((band, i) => drawBand(band, i * (height + 26), left, tokens, layers, columns));
  return figure({
    title: options.title ?? "Logit lens: what each layer would say comes next",
    explanation:
      "Columns: the {T} tokens of the text. Rows: the residual stream x, [{T}, {C}], before the first block and after each, read as if it were the last. In each cell the likeliest of the {V} tokens that there are, and its probability. Framed: it is the token that comes.",
    width: left + Math.max(...bands.map((band) => band.reduce((sum, t) => sum + columns[t]!, 0))),
    height: bands.length * (height + 26) - 26,
    content,
    theme: options.theme ?? "auto",
    heading: options.heading,
  });
}

function drawBand(
  band: readonly number[],
  y: number,
  left: number,
  tokens: readonly string[],
  layers: DrawnLens["layers"],
  widths: readonly number[],
): Markup[] {
  const content: Markup[] = [];
  const name = (row: number, label: string, explained: string): void => {
    const at = y + row * ROW;
    content.push(text(0, at + 13, label, { "font-family": MONO, "font-size": TEXT }));
    content.push(text(0, at + 26, explained, { class: "muted", "font-size": 10 }));
  };
  content.push(text(0, y + 18, "the text", { class: "muted" }));
  for (const [i, { place }] of layers.entries()) {
    const what = i === 0 ? "the embeddings" : i === layers.length - 1 ? "the model’s answer" : `after block ${i - 1}`;
    name(i + 1, place, what);
  }
  content.push(text(0, y + (layers.length + 1) * ROW + 16, "what comes", { class: "muted" }));
  let x = left;
  for (const t of band) {
    const width = widths[t]!;
    const middle = { "text-anchor": "middle", "font-family": MONO, "font-size": TEXT };
    content.push(
      text(x + width / 2, y + 18, shortToken(tokens[t]!, LONGEST), {
        ...middle,
        "font-weight": "bold",
        class: "letter-T",
      }),
    );
    for (const [i, { top }] of layers.entries()) {
      const { token, probability } = top[t]![0]!;
      const at = y + (i + 1) * ROW;
      const right = token === tokens[t + 1];
      content.push(
        element(
          "g",
          {},
          element("rect", {
            x: x + 1,
            y: at,
            width: width - 2,
            height: ROW - 3,
            rx: 3,
            class: "share",
            "fill-opacity": opacity(probability),
          }),
          ...(right
            ? [
                element("rect", {
                  x: x + 2,
                  y: at + 1,
                  width: width - 4,
                  height: ROW - 5,
                  rx: 2,
                  fill: "none",
                  class: "line-ink",
                  "stroke-width": 1.5,
                }),
              ]
            : []),
          text(x + width / 2, at + 14, shortToken(token, LONGEST), middle),
          text(x + width / 2, at + 26, percent(probability), { "text-anchor": "middle", "font-size": 10 }),
          element(
            "title",
            {},
            top[t]!.map((each) => `${shortToken(each.token, 40)} ${percent(each.probability)}`).join("\n"),
          ),
        ),
      );
    }
    const next = tokens[t + 1];
    const at = y + (layers.length + 1) * ROW + 16;
    content.push(
      text(x + width / 2, at, next === undefined ? "?" : shortToken(next, LONGEST), { ...middle, class: "letter-T" }),
    );
    x += width;
  }
  return content;
}

/** Of a cell with text in it: at most so much that the text can be read. */
function opacity(probability: number): number {
  return 0.04 + 0.5 * probability;
}

/** Numbers of columns that fit beside each other. */
function banded(widths: readonly number[], room: number): number[][] {
  const bands: number[][] = [[]];
  let used = 0;
  for (const [t, width] of widths.entries()) {
    if (used + width > room && used > 0) {
      bands.push([]);
      used = 0;
    }
    bands.at(-1)!.push(t);
    used += width;
  }
  return bands;
}
