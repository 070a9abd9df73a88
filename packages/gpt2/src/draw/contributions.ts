import { type DrawOptions, element, figure, type Markup, rounded, text } from "./svg.ts";
import { MONO, shortToken, signed } from "./tokens.ts";

const CELL = 52;
const ROW = 26;
const LEFT = 92;
const BAR = 120;

/** What is drawn of contributions, as `contributions` gives them. */
export interface DrawnContributions {
  readonly tokens: readonly string[];
  readonly position: number;
  readonly target: { readonly token: string };
  readonly against?: { readonly token: string } | undefined;
  readonly logit: number;
  readonly parts: readonly { readonly part: string; readonly logit: number }[];
}

interface Row {
  readonly name: string;
  readonly parts: readonly { readonly column: number; readonly part: string; readonly logit: number }[];
}

/** What each head and MLP adds to a logit: a row for each layer, a column for each head, and the sum of each row as a bar. */
export function drawContributions(drawn: DrawnContributions, options: DrawOptions = {}): string {
  const { tokens, position, target, against, logit, parts } = drawn;
  const heads = parts.filter(({ part }) => part.startsWith("h.0.attn.head.")).length;
  const rows = rowsOf(parts, heads);
  const strongest = Math.max(1e-9, ...parts.map((part) => Math.abs(part.logit)));
  const sums = rows.map((row) => row.parts.reduce((sum, part) => sum + part.logit, 0));
  const largest = Math.max(1e-9, ...sums.map(Math.abs));
  const bars = LEFT + (heads + 2) * CELL + 20;
  const content: Markup[] = [];
  const title = (column: number, label: string, kind = "muted"): void => {
    content.push(
      text(LEFT + (column + 0.5) * CELL, 12, label, { "text-anchor": "middle", class: kind, "font-size": 12 }),
    );
  };
  for (let head = 0; head < heads; head++) title(head, `${head}`, "letter-H");
  if (heads > 0) {
    title(heads, "bias");
    title(heads + 1, "MLP");
  }
  content.push(
    text(bars + BAR / 2, 12, "sum of the row", { "text-anchor": "middle", class: "muted", "font-size": 12 }),
  );
  for (const [i, row] of rows.entries()) {
    const y = 22 + i * ROW;
    content.push(text(LEFT - 12, y + 17, row.name, { "text-anchor": "end", "font-family": MONO, "font-size": 12 }));
    for (const part of row.parts) content.push(cell(part, LEFT + part.column * CELL, y, strongest));
    content.push(...bar(sums[i]!, bars, y, largest));
  }
  const end = 22 + rows.length * ROW;
  content.push(
    element("path", { d: `M0 ${end + 6}H${bars + BAR + 46}`, class: "line-frame" }),
    text(LEFT - 12, end + 25, "logit", {
      "text-anchor": "end",
      "font-family": MONO,
      "font-size": 12,
      "font-weight": "bold",
    }),
    text(LEFT + 8, end + 25, signed(logit, 2), { "font-family": MONO, "font-size": 13, "font-weight": "bold" }),
    text(LEFT + 74, end + 25, "the sum of all parts", { class: "muted", "font-size": 12 }),
  );
  return figure({
    title: options.title ?? titleOf(tokens, position, target.token, against?.token),
    explanation: `What each part of the model adds to the logit, the final layer normalization’s scale taken as it is. Columns: the {H} = ${heads} heads, then the attention’s bias and the MLP. Green pushes the token up, pink down.`,
    width: bars + BAR + 46,
    height: end + 34,
    content,
    theme: options.theme ?? "auto",
    heading: options.heading,
  });
}

function titleOf(tokens: readonly string[], position: number, target: string, against: string | undefined): string {
  const quoted = (token: string): string => `“${shortToken(token, 16)}”`;
  const rather = against === undefined ? "" : ` rather than ${quoted(against)}`;
  return `Why ${quoted(target)}${rather} after ${quoted(tokens[position]!)}, token ${position}`;
}

function rowsOf(parts: DrawnContributions["parts"], heads: number): Row[] {
  const rows = new Map<string, Row["parts"]>();
  for (const { part, logit } of parts) {
    const [, layer, what] = /^h\.(\d+)\.(.*)$/.exec(part) ?? [];
    const head = /^attn\.head\.(\d+)$/.exec(what ?? "")?.[1];
    const column =
      head !== undefined ? Number(head) : what === "attn.cProj.bias" ? heads : what === "mlp.cProj" ? heads + 1 : 0;
    const name = layer === undefined ? part : `h.${layer}`;
    rows.set(name, [...(rows.get(name) ?? []), { column, part, logit }]);
  }
  return Array.from(rows, ([name, own]) => ({ name, parts: own }));
}

function cell({ part, logit }: Row["parts"][number], x: number, y: number, strongest: number): Markup {
  return element(
    "g",
    {},
    element("rect", {
      x: x + 1,
      y: y + 1,
      width: CELL - 2,
      height: ROW - 2,
      rx: 3,
      class: logit < 0 ? "down" : "up",
      "fill-opacity": rounded(0.03 + 0.55 * Math.sqrt(Math.abs(logit) / strongest)),
    }),
    text(x + CELL / 2, y + 17, signed(logit, 2), { "text-anchor": "middle", "font-family": MONO, "font-size": 11 }),
    element("title", {}, `${part}: ${signed(logit, 4)}`),
  );
}

function bar(sum: number, x: number, y: number, largest: number): Markup[] {
  const middle = x + BAR / 2;
  const width = ((BAR / 2 - 4) * Math.abs(sum)) / largest;
  return [
    element("path", { d: `M${rounded(middle)} ${y}v${ROW}`, class: "line-frame" }),
    element("rect", {
      x: sum < 0 ? middle - width : middle,
      y: y + 6,
      width,
      height: ROW - 12,
      rx: 2,
      class: sum < 0 ? "down" : "up",
    }),
    text(x + BAR + 44, y + 17, signed(sum, 2), { "text-anchor": "end", "font-family": MONO, "font-size": 11 }),
  ];
}
