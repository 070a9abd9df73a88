import { expectLength } from "./attention.ts";
import { flow } from "./flow.ts";
import { type DrawOptions, element, figure, type Markup, rounded, text } from "./svg.ts";
import { MONO, monoWidth, percent, shortToken, shownToken } from "./tokens.ts";

const TEXT = 14;
const LONGEST = 24;
const WIDEST = 860;
const HEIGHT = 24;
/** Above the line of the token that attends, for its arcs. */
const ARC = 34;
/** Above any other line. */
const GAP = 10;
/** Below a line that has shares, for their numbers. */
const NUMBERS = 16;
/** Smaller shares have no arc, and those below the second no number. */
const [LEAST_DRAWN, LEAST_TOLD] = [0.01, 0.05];

/**
 * What one token attends to, as arcs over the text: the wider and stronger, the larger the share. In a page a click finds its token:
 * what is drawn of token 5 is in an element with `data-token="5"`.
 *
 * @param pattern `[T, T]`, row-major: one head of `attentionMaps` or of a trace's `attn.pattern`
 * @throws RangeError for numbers that do not fit the tokens
 */
export function drawAttentionArcs(
  tokens: readonly string[],
  pattern: ArrayLike<number>,
  options: DrawOptions & {
    /** The token that attends, counted from 0. Default: the last. */
    readonly from?: number | undefined;
    /** The most that a line of the text takes, in pixels. Default: 860. */
    readonly width?: number | undefined;
  } = {},
): string {
  const T = tokens.length;
  expectLength("drawAttentionArcs", pattern, T * T);
  const { from = T - 1, width: room = WIDEST, title, theme = "auto", heading } = options;
  if (!(Number.isInteger(from) && from >= 0 && from < T)) {
    throw new RangeError(`drawAttentionArcs: expected from to be a token from 0 to ${T - 1}, got ${from}`);
  }
  const shown = tokens.map((token) => shortToken(token, LONGEST));
  const widths = shown.map((token) => Math.max(monoWidth(token, TEXT) + 8, MIN_WIDTH));
  const { places, rows, width } = flow(tokens, widths, room);
  const shares = Array.from({ length: from + 1 }, (_, to) => pattern[from * T + to]!);
  const withNumbers = new Set(places.flatMap(({ row }, t) => ((shares[t] ?? 0) < LEAST_TOLD ? [] : [row])));
  const { tops, height } = lines(rows, places[from]!.row, withNumbers);
  const boxes = places.map(({ x, row }, t): Box => ({ x, y: tops[row]!, width: widths[t]! }));
  const content = [
    ...shares.flatMap((share, to) =>
      share < LEAST_DRAWN || to === from ? [] : [arc(boxes[from]!, boxes[to]!, share)],
    ),
    ...shown.map((token, t) => cell(token, t, boxes[t]!, shares[t], t === from)),
  ];
  return figure({
    title: title ?? `Where “${shortToken(tokens[from]!, 16)}” looks`,
    explanation: `Token ${from} of {T} shares out one whole over itself and those before it. Arcs lead to what it attends to.`,
    width,
    height,
    content,
    theme,
    heading,
  });
}

/** Where the lines of tokens are, one close below the other where nothing is drawn between them. */
function lines(count: number, attending: number, withNumbers: ReadonlySet<number>) {
  const tops: number[] = [];
  let height = 0;
  for (let line = 0; line < count; line++) {
    height += line === attending ? ARC : GAP;
    tops.push(height);
    height += HEIGHT + (withNumbers.has(line) ? NUMBERS : 0);
  }
  return { tops, height: height + (withNumbers.has(count - 1) ? 0 : GAP) };
}

/** So that “<1 %” fits below. */
const MIN_WIDTH = 22;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** In one line over the tokens between; to an earlier line from the top of one token to the foot of the other. */
function arc(from: Box, to: Box, share: number): Markup {
  const [x1, x2] = [from.x + from.width / 2, to.x + to.width / 2];
  const same = from.y === to.y;
  const [y1, y2] = [from.y, same ? to.y : to.y + HEIGHT];
  const lift = same ? Math.min(ARC * 1.25, 8 + Math.abs(x1 - x2) / 6) : 26;
  const bend = same ? y2 - lift : y2 + lift;
  return element("path", {
    d: `M${rounded(x1)} ${rounded(y1)}C${rounded(x1)} ${rounded(y1 - lift)} ${rounded(x2)} ${rounded(bend)} ${rounded(x2)} ${rounded(y2)}`,
    fill: "none",
    class: "line-share",
    "stroke-width": 1 + 4 * share,
    "stroke-opacity": rounded(0.15 + 0.85 * Math.sqrt(share)),
    "stroke-linecap": "round",
  });
}

function cell(shown: string, t: number, box: Box, share: number | undefined, attends: boolean): Markup {
  const { x, y, width } = box;
  const frame = { x, y, width, height: HEIGHT, rx: 3 };
  const middle = x + width / 2;
  return element(
    "g",
    { "data-token": t },
    element("rect", { ...frame, class: "share", "fill-opacity": rounded(0.5 * Math.sqrt(share ?? 0)) }),
    ...(attends ? [element("rect", { ...frame, fill: "none", class: "line-ink", "stroke-width": 1.5 })] : []),
    text(middle, y + 16.5, shown, {
      "text-anchor": "middle",
      class: share === undefined ? "muted" : "ink",
      "font-family": MONO,
      "font-size": TEXT,
    }),
    ...(share === undefined || share < LEAST_TOLD
      ? []
      : [text(middle, y + HEIGHT + 12, percent(share), { "text-anchor": "middle", class: "muted", "font-size": 10 })]),
    ...(share === undefined ? [] : [element("title", {}, `${shownToken(shown)}: ${percent(share)}`)]),
  );
}
