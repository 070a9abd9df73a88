import { expectLength } from "./attention.ts";
import { flow } from "./flow.ts";
import { type DrawOptions, element, figure, type Markup, rounded, text } from "./svg.ts";
import { MONO, monoWidth, shownToken } from "./tokens.ts";

const TEXT = 15;
const ROW = 46;
const WIDEST = 860;
/** Bits from which on the colour does not grow. */
const MOST = 12;

/** What is drawn of a score, as `model.score` gives it. */
export interface DrawnScore {
  readonly tokens: readonly string[];
  /** Natural log-probabilities of the tokens from the second on. */
  readonly logprobs: readonly number[];
}

/** A text, each token on the colour of its surprise: −log₂ of the probability that the model gave it, in bits. */
export function drawSurprise({ tokens, logprobs }: DrawnScore, options: DrawOptions = {}): string {
  expectLength("drawSurprise", logprobs, Math.max(0, tokens.length - 1));
  const bits = tokens.map((_, t) => (t === 0 ? undefined : surprise(logprobs[t - 1]!)));
  const shown = tokens.map(shownToken);
  const widths = shown.map((token, t) => {
    const below = bits[t] === undefined ? 0 : monoWidth(shownBits(bits[t], 1), 10);
    return Math.max(monoWidth(token, TEXT), below) + 8;
  });
  const { places, rows, width } = flow(tokens, widths, WIDEST);
  const content = places.map(({ x, row }, t) => cell(shown[t]!, bits[t], x, row * ROW, widths[t]!));
  content.push(...legend(rows * ROW + 18));
  const total = logprobs.reduce((sum, logprob) => sum + surprise(logprob), 0);
  const mean = total / logprobs.length;
  const summary =
    logprobs.length === 0
      ? "One token alone has nothing before it."
      : `On average ${shownBits(mean, 2)} bits a token: as unsure as among ${shownBits(2 ** mean, 1)} equal choices (the perplexity).`;
  return figure({
    title: options.title ?? "How much each token surprised the model",
    explanation: `Each of {T} tokens, and below it −log₂ of the probability that those before it gave it; the first is given. ${summary}`,
    width: Math.max(width, LEGEND_WIDTH),
    height: rows * ROW + 26,
    content,
    theme: options.theme ?? "auto",
    heading: options.heading,
  });
}

/** Bits of surprise of a natural log-probability. */
function surprise(logprob: number): number {
  return -logprob / Math.LN2;
}

function cell(shown: string, bits: number | undefined, x: number, y: number, width: number): Markup {
  const box = { x, y, width, height: 25, rx: 3 };
  const background =
    bits === undefined
      ? element("rect", { ...box, fill: "none", class: "line-frame" })
      : element("rect", { ...box, class: "surprise", "fill-opacity": opacity(bits) });
  const below =
    bits === undefined ? [] : [text(x + width / 2, y + 37, shownBits(bits, 1), { ...small, "text-anchor": "middle" })];
  return element("g", {}, background, text(x + 4, y + 17, shown, { "font-family": MONO, "font-size": TEXT }), ...below);
}

/** A probability of 0 has no finite surprise. */
function shownBits(bits: number, digits: number): string {
  return bits === Infinity ? "∞" : bits.toFixed(digits);
}

const small = { class: "muted", "font-family": MONO, "font-size": 10 };

function opacity(bits: number): string {
  return rounded(0.03 + 0.57 * Math.min(1, bits / MOST));
}

const LEGEND = [0, 2, 4, 6, 8, 10, 12];
const LEGEND_WIDTH = LEGEND.length * 74;

function legend(y: number): Markup[] {
  return LEGEND.flatMap((bits, i) => [
    element("rect", { x: i * 74, y: y - 10, width: 14, height: 12, class: "surprise", "fill-opacity": opacity(bits) }),
    text(i * 74 + 19, y, `${bits}${bits === MOST ? "+" : ""} bit${bits === 1 ? "" : "s"}`, {
      class: "muted",
      "font-size": 12,
    }),
  ]);
}
