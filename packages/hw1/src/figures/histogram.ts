import * as Plot from "@observablehq/plot";
import { median } from "../median.ts";
import type { SetLikelihoods } from "../results.ts";
import { drawPlot, type Heading, headingHeight, verticalLabel, withMinus } from "./canvas.ts";
import type { Theme } from "./theme.ts";

/** The problem sheet's axis, in nats. */
export const LOWEST = -600;
/** The axis is extended in such steps if values lie below it. */
const STEP = 200;
const BIN = 20;
const LEFT_MARGIN = 62;
const VERTICAL = `texts per ${BIN} nats`;

/**
 * The axis that histograms of these values share: from -600 to 0, as the problem sheet asks for, or from further left if
 * values lie there. Nothing is ever left out.
 *
 * @throws RangeError for a value that is not a finite number of at most 0
 */
export function likelihoodAxis(sets: readonly SetLikelihoods[]): readonly [number, number] {
  let lowest = LOWEST;
  for (const { name, logLikelihoods } of sets) {
    for (const [i, value] of logLikelihoods.entries()) {
      if (!(Number.isFinite(value) && value <= 0)) {
        throw new RangeError(`${name}: log-likelihood ${i} is ${value}, expected a finite number of at most 0`);
      }
      if (value < lowest) lowest = Math.floor(value / STEP) * STEP;
    }
  }
  return [lowest, 0];
}

/** One set's log-likelihoods as a histogram; it says how many lie below the axis. `series` is the colour that the set has in every figure. */
export function histogram(
  set: SetLikelihoods,
  { theme, axis, series }: { readonly theme: Theme; readonly axis: readonly [number, number]; readonly series: number },
): string {
  const middle = median(set.logLikelihoods);
  const [lowest] = axis;
  const below = set.logLikelihoods.filter((value) => value < lowest).length;
  const facts = [count(set)];
  const line = middle !== undefined && middle >= lowest ? [middle] : [];
  if (middle !== undefined)
    facts.push(`${line.length > 0 ? "the dashed line is their median," : "median"} ${nats(middle)}`);
  if (below > 0) facts.push(`not shown: ${below} below ${withMinus(lowest)}`);
  const heading: Heading = { title: set.title, lines: [{ text: facts.join("; ") }] };
  return drawPlot(theme, heading, {
    ...frame(heading, axis, largestBin([set], axis)),
    marks: [
      verticalLabel(VERTICAL, LEFT_MARGIN),
      ...bars(set, axis, theme.series[series]!),
      Plot.ruleX(line, { strokeWidth: 2, strokeDasharray: "6,4" }),
      Plot.ruleY([0]),
    ],
  });
}

/** The log-likelihoods of up to three sets over one axis. */
export function jointHistogram(
  sets: readonly SetLikelihoods[],
  { theme, axis }: { readonly theme: Theme; readonly axis: readonly [number, number] },
): string {
  const heading: Heading = {
    title: "Log-likelihood of each set",
    lines: sets.map((set, i) => {
      const middle = median(set.logLikelihoods);
      const text = `${set.title}: ${count(set)}${middle === undefined ? "" : `, median ${nats(middle)}`}`;
      return { text, colour: theme.series[i]!, mark: "box" };
    }),
  };
  return drawPlot(theme, heading, {
    ...frame(heading, axis, largestBin(sets, axis)),
    marks: [
      verticalLabel(VERTICAL, LEFT_MARGIN),
      ...sets.flatMap((set, i) => bars(set, axis, theme.series[i]!)),
      Plot.ruleY([0]),
    ],
  });
}

function frame(heading: Heading, axis: readonly [number, number], highest: number): Plot.PlotOptions {
  const marginTop = headingHeight(heading) + 56;
  return {
    width: 760,
    height: marginTop + 280,
    marginTop,
    marginLeft: LEFT_MARGIN,
    marginRight: 28,
    marginBottom: 56,
    x: {
      domain: axis,
      label: "log-likelihood of a text, in nats",
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: 44,
      ticks: 7,
      tickFormat: (value: number) => withMinus(value),
    },
    y: { domain: [0, Math.max(1, highest)], label: null, grid: true, ticks: wholeTicks(highest) },
  };
}

function bars(set: SetLikelihoods, axis: readonly [number, number], colour: string): Plot.Markish[] {
  const bins = binned(set.logLikelihoods, axis).filter(({ texts }) => texts > 0);
  const shape = { x1: "from", x2: "to", y: "texts", fill: colour, fillOpacity: 0.55, stroke: colour };
  return [Plot.rectY(bins, shape)];
}

interface Bin {
  readonly from: number;
  readonly to: number;
  texts: number;
}

/** How many values are in each bin of the axis, its lower end included; 0 itself is in the last. Values below the axis are in none. */
export function binned(values: readonly number[], [lowest, highest]: readonly [number, number]): Bin[] {
  const bins: Bin[] = [];
  for (let from = lowest; from < highest; from += BIN) bins.push({ from, to: from + BIN, texts: 0 });
  for (const value of values) {
    if (value >= lowest) bins[Math.min(Math.floor((value - lowest) / BIN), bins.length - 1)]!.texts++;
  }
  return bins;
}

function largestBin(sets: readonly SetLikelihoods[], axis: readonly [number, number]): number {
  return Math.max(0, ...sets.flatMap((set) => binned(set.logLikelihoods, axis).map(({ texts }) => texts)));
}

/** Counts are whole numbers: no tick between two of them. */
function wholeTicks(highest: number): number {
  return Math.min(6, Math.max(1, highest));
}

function count({ logLikelihoods }: SetLikelihoods): string {
  return `${logLikelihoods.length} ${logLikelihoods.length === 1 ? "text" : "texts"}`;
}

function nats(value: number): string {
  return `${withMinus(value)} nats`;
}
