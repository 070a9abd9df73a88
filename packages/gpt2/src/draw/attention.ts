import { type DrawOptions, element, figure, type Markup, rounded, text } from "./svg.ts";
import { MONO, monoWidth, percent, shortToken } from "./tokens.ts";

const TEXT = 12;
const LONGEST_LABEL = 14;
/** The widest matrix, in pixels. */
const WIDEST = 720;
/** Cells with a text of their own when the pointer rests on them: no more tokens, or files get large. */
const TOKENS_WITH_TEXTS = 32;

/**
 * How much each token attends to each other, as a matrix: rows attend, columns are attended to. Colour grows with the square root of
 * the share, so that small ones can be seen.
 *
 * @param pattern `[T, T]`, row-major: one head of `attentionMaps` or of a trace's `attn.pattern`
 */
export function drawAttention(
  tokens: readonly string[],
  pattern: ArrayLike<number>,
  options: DrawOptions = {},
): string {
  const T = tokens.length;
  expectLength("drawAttention", pattern, T * T);
  const cell = Math.max(1, Math.min(26, Math.floor(WIDEST / T)));
  const labels = labelled(tokens, cell);
  const left = Math.max(0, ...labels.map(({ label }) => monoWidth(label, TEXT))) + 8;
  const top = left * 0.87 + 6; // column labels lean
  const content: Markup[] = [
    ...labels.flatMap(({ label, index }) => {
      const middle = (index + 0.5) * cell;
      const [x, y] = [left + middle + 2, top - 7];
      return [
        text(left - 8, top + middle + 4, label, { "text-anchor": "end", "font-family": MONO, "font-size": TEXT }),
        text(x, y, label, {
          transform: `rotate(-60 ${rounded(x)} ${rounded(y)})`,
          "font-family": MONO,
          "font-size": TEXT,
        }),
      ];
    }),
    element(
      "g",
      { transform: `translate(${rounded(left)} ${rounded(top)})` },
      staircase(T, cell),
      ...(T <= TOKENS_WITH_TEXTS ? cells(tokens, pattern, cell) : shades(pattern, T, cell)),
    ),
    ...legend(left, top + T * cell + 22),
  ];
  return figure({
    title: options.title ?? "Attention of one head",
    explanation: "Rows: each of {T} tokens shares out one whole over itself and those before it, the columns.",
    width: Math.max(left + T * cell + left * 0.5, left + LEGEND_WIDTH),
    height: top + T * cell + 28,
    content,
    theme: options.theme ?? "auto",
    heading: options.heading,
  });
}

/**
 * Small attention matrices of all heads: a row for each layer, a column for each head.
 *
 * @param patterns for each layer `[H, T, T]`, row-major, as `attentionMaps` gives them
 */
export function drawAttentionHeads(
  tokens: readonly string[],
  patterns: readonly ArrayLike<number>[],
  options: DrawOptions & {
    /** The number of the first of these layers; default 0. */
    readonly firstLayer?: number | undefined;
  } = {},
): string {
  const T = tokens.length;
  const { firstLayer = 0 } = options;
  const heads = (patterns[0]?.length ?? 0) / (T * T);
  for (const pattern of patterns) expectLength("drawAttentionHeads", pattern, heads * T * T);
  const size = Math.max(48, Math.min(150, Math.floor(900 / Math.max(1, heads)) - 12));
  const cell = size / T;
  const [left, top] = [56, 24];
  const content: Markup[] = [];
  for (const [i, pattern] of patterns.entries()) {
    const layer = firstLayer + i;
    const y = top + i * (size + 12);
    content.push(text(left - 10, y + size / 2 + 4, `h.${layer}`, { "text-anchor": "end", "font-family": MONO }));
    for (let head = 0; head < heads; head++) {
      const x = left + head * (size + 12);
      if (i === 0) {
        content.push(
          text(x + size / 2, top - 9, `${head}`, { "text-anchor": "middle", class: "letter-H", "font-weight": "bold" }),
        );
      }
      const own = Array.prototype.slice.call(pattern, head * T * T, (head + 1) * T * T) as number[];
      content.push(
        element(
          "g",
          { transform: `translate(${x} ${y})` },
          staircase(T, cell),
          ...shades(own, T, cell),
          element("title", {}, `layer ${layer}, head ${head}`),
        ),
      );
    }
  }
  const height = top + patterns.length * (size + 12);
  content.push(...legend(left, height + 8));
  return figure({
    title: options.title ?? "Attention of all heads",
    explanation: `Rows: layers. Columns: the {H} = ${heads} heads of each. In each square, the {T} = ${T} tokens attend: rows share out one whole over columns.`,
    width: Math.max(left + heads * (size + 12), left + LEGEND_WIDTH, 560),
    height: height + 26,
    content,
    theme: options.theme ?? "auto",
    heading: options.heading,
  });
}

/** The cells that a row can see, framed: those up to its own. */
function staircase(T: number, cell: number): Markup {
  const steps = Array.from(
    { length: T },
    (_, t) => `V${rounded((t + 1) * cell)}${t < T - 1 ? `H${rounded((t + 2) * cell)}` : ""}`,
  );
  // From the top left corner along the first row's cell, down the stairs, and back along the bottom.
  return element("path", { d: `M0 0H${rounded(cell)}${steps.join("")}H0Z`, fill: "none", class: "line-frame" });
}

function cells(tokens: readonly string[], pattern: ArrayLike<number>, cell: number): Markup[] {
  const T = tokens.length;
  return tokens.flatMap((from, row) =>
    tokens.slice(0, row + 1).map((to, column) => {
      const share = pattern[row * T + column]!;
      const names = [from, to].map((token) => `“${shortToken(token, LONGEST_LABEL)}”`);
      return element(
        "rect",
        {
          x: column * cell + 0.5,
          y: row * cell + 0.5,
          width: cell - 1,
          height: cell - 1,
          class: "share",
          "fill-opacity": rounded(Math.sqrt(share)),
        },
        element("title", {}, `${names[0]} attends to ${names[1]}: ${percent(share)}`),
      );
    }),
  );
}

const SHADES = 16;

/** The same as a few paths, one for each shade: files stay small. */
function shades(pattern: ArrayLike<number>, T: number, cell: number): Markup[] {
  const paths = new Map<number, string>();
  const shadeAt = (row: number, column: number): number => Math.round(SHADES * Math.sqrt(pattern[row * T + column]!));
  for (let row = 0; row < T; row++) {
    for (let column = 0, end = 0; column <= row; column = end) {
      const shade = shadeAt(row, column);
      for (end = column + 1; end <= row && shadeAt(row, end) === shade; ) end++; // cells beside each other are one
      if (shade === 0) continue;
      const [x, y, width, height] = [column * cell, row * cell, (end - column) * cell, cell].map(rounded);
      paths.set(shade, `${paths.get(shade) ?? ""}M${x} ${y}h${width}v${height}h-${width}z`);
    }
  }
  return [...paths]
    .sort(([a], [b]) => a - b)
    .map(([shade, d]) => element("path", { d, class: "share", "fill-opacity": shade / SHADES }));
}

/** The tokens that have a label beside a matrix: every one, or if they are too small every so many. */
function labelled(tokens: readonly string[], cell: number): { readonly index: number; readonly label: string }[] {
  const every = Math.ceil((TEXT + 1) / cell);
  return tokens.flatMap((token, index) =>
    index % every === 0 ? [{ index, label: shortToken(token, LONGEST_LABEL) }] : [],
  );
}

const LEGEND = [0.01, 0.05, 0.25, 0.5, 1];
const LEGEND_STEP = 62;
const LEGEND_WIDTH = LEGEND.length * LEGEND_STEP;

function legend(x: number, y: number): Markup[] {
  return LEGEND.flatMap((share, i) => [
    element("rect", {
      x: x + i * LEGEND_STEP,
      y: y - 10,
      width: 14,
      height: 12,
      class: "share",
      "fill-opacity": rounded(Math.sqrt(share)),
    }),
    text(x + i * LEGEND_STEP + 19, y, percent(share), { class: "muted", "font-size": 12 }),
  ]);
}

export function expectLength(of: string, values: ArrayLike<number>, length: number): void {
  if (values?.length === length) return;
  throw new RangeError(`${of}: expected ${length} numbers, got ${values?.length}`);
}
