import * as Plot from "@observablehq/plot";
import type { TokenStrip } from "../results.ts";
import { drawPlot, type Heading, headingHeight, LEFT, MONO, shortened, visible } from "./canvas.ts";
import { colourAt, contrast, type Theme } from "./theme.ts";

const COLUMNS = 76;
/** Advance of DejaVu Sans Mono at 15 pixels, rounded up, and the height of a line. */
const COLUMN = 9.25;
const LETTER_SIZE = 15;
const ROW = 32;
const CELL = 24;
/** Log-probabilities from 0 to this have a colour of their own; below it all have the last one. */
const UNLIKELY = -12;
const LEGEND_STEPS = 60;
const LEGEND_WIDTH = 26; // columns
const WIDTH = Math.ceil(COLUMNS * COLUMN) + 2 * LEFT;

interface Cell {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly fill: string;
  readonly ink: string;
  readonly given: boolean;
}

/** A text, each token on the colour of its log-probability: what the model expected is plain, what surprised it glows. */
export function tokenStrip({ tokens }: TokenStrip, theme: Theme): string {
  const { cells, rows } = arranged(tokens, theme);
  const heading: Heading = {
    title: "Log-likelihood of each token",
    lines: [
      { text: "The first token, outlined, is given. A blank belongs to the word after it." },
      { text: "· is a blank that is a token or part of several, ↵ a line feed, \\xe6 a byte of a letter." },
    ],
  };
  const marginTop = headingHeight(heading) + 78;
  const legend = legendCells(theme);
  const legendRow = -1.6;
  return drawPlot(theme, heading, {
    width: WIDTH,
    height: marginTop + rows * ROW + LEFT,
    marginTop,
    marginLeft: LEFT,
    marginRight: LEFT,
    marginBottom: LEFT,
    x: { domain: [0, COLUMNS], axis: null },
    y: { domain: [0, Math.max(1, rows)], reverse: true, axis: null },
    marks: [
      Plot.rect(legend, {
        x1: "from",
        x2: "to",
        y1: legendRow,
        y2: legendRow + 0.5,
        fill: (cell) => cell.fill,
        shapeRendering: "crispEdges",
      }),
      Plot.rect([0], {
        x1: 0,
        x2: LEGEND_WIDTH,
        y1: legendRow,
        y2: legendRow + 0.5,
        stroke: theme.muted,
      }),
      Plot.text([0, -4, -8, UNLIKELY], {
        x: (logprob) => (logprob / UNLIKELY) * LEGEND_WIDTH,
        y: legendRow + 0.5,
        dy: 12,
        text: (logprob) => (logprob === UNLIKELY ? `≤ −${-UNLIKELY}` : logprob === 0 ? "0" : `−${-logprob}`),
        fontSize: 13,
      }),
      Plot.text([0], {
        x: LEGEND_WIDTH,
        y: legendRow + 0.25,
        dx: 14,
        text: ["log-probability in nats: 0 is certain"],
        textAnchor: "start",
        fontSize: 13,
        fill: theme.muted,
      }),
      Plot.rect(cells, {
        x1: "from",
        x2: "to",
        y1: "row",
        y2: (cell) => cell.row + CELL / ROW,
        fill: { value: (cell) => cell.fill, scale: null },
        stroke: { value: (cell) => (cell.given ? theme.ink : "none"), scale: null },
        insetLeft: 0.5,
        insetRight: 0.5,
        rx: 3,
      }),
      Plot.text(cells, {
        x: (cell) => (cell.from + cell.to) / 2,
        y: (cell) => cell.row + CELL / ROW / 2,
        text: "label",
        fill: { value: (cell) => cell.ink, scale: null },
        fontFamily: MONO,
        fontSize: LETTER_SIZE,
      }),
    ],
  });
}

function legendCells(theme: Theme): { from: number; to: number; fill: string }[] {
  return Array.from({ length: LEGEND_STEPS }, (_, i) => ({
    from: (i / LEGEND_STEPS) * LEGEND_WIDTH,
    to: ((i + 1) / LEGEND_STEPS) * LEGEND_WIDTH,
    fill: colourAt(theme.surprise, (i + 0.5) / LEGEND_STEPS),
  }));
}

/** Arranges tokens in rows of at most COLUMNS, as wide as their letters; a line feed ends its row. */
function arranged(tokens: TokenStrip["tokens"], theme: Theme): { cells: Cell[]; rows: number } {
  const cells: Cell[] = [];
  let row = 0;
  let column = 0;
  for (const { text, logprob } of tokens) {
    const label = shownToken(text);
    const width = columnsOf(label);
    if (column > 0 && column + width > COLUMNS) {
      row++;
      column = 0;
    }
    const fill = logprob === undefined ? theme.background : colourAt(theme.surprise, logprob / UNLIKELY);
    const ink = contrast(fill, LETTERS_DARK) > contrast(fill, LETTERS_LIGHT) ? LETTERS_DARK : LETTERS_LIGHT;
    cells.push({ row, from: column, to: column + width, label, fill, ink, given: logprob === undefined });
    column += width;
    if (text.endsWith("\n")) {
      row++;
      column = 0;
    }
  }
  return { cells, rows: column > 0 ? row + 1 : row };
}

const LETTERS_DARK = "#000000";
const LETTERS_LIGHT = "#ffffff";

/** One blank before a word stays a blank; other blanks are dots, so that they can be counted. */
function shownToken(text: string): string {
  return shortened(visible(text.replaceAll(/(?!^ \S) /g, "·")), COLUMNS);
}

const WIDE = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u;

function columnsOf(label: string): number {
  let columns = 0;
  for (const letter of label) columns += WIDE.test(letter) ? 2 : 1;
  return Math.min(Math.max(columns, 1), COLUMNS);
}
