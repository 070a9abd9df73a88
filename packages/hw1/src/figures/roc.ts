import * as Plot from "@observablehq/plot";
import type { ClassificationResults, RocPoint } from "../results.ts";
import { drawPlot, type Heading, headingHeight, verticalLabel, withMinus } from "./canvas.ts";
import type { Theme } from "./theme.ts";

const SIDE = 420;
const MARGIN = 70;

/** The ROC curve on the held-out texts, with its area and the point of the chosen threshold. */
export function rocFigure({ heldOut, threshold }: ClassificationResults, theme: Theme): string {
  const [chosen, curve] = theme.series;
  const point = operatingPoint(heldOut.roc, threshold);
  const heading: Heading = {
    title: "Random or real: ROC curve",
    lines: [
      { text: `${heldOut.random} random and ${heldOut.real} real texts, held out` },
      { text: `area under the curve (AUC): ${heldOut.auc.toFixed(4)}`, colour: curve, mark: "box" },
      { text: `the chosen threshold: ${withMinus(threshold, 2)} nats a character`, colour: chosen, mark: "dot" },
    ],
  };
  const marginTop = headingHeight(heading) + 56;
  const place = { x: "falsePositiveRate", y: "truePositiveRate" };
  return drawPlot(theme, heading, {
    width: MARGIN + SIDE + MARGIN,
    height: marginTop + SIDE + 56,
    marginTop,
    marginLeft: MARGIN,
    marginRight: MARGIN,
    marginBottom: 56,
    // The curve of a good classifier runs along the frame: keep them apart.
    inset: 10,
    x: {
      domain: [0, 1],
      ticks: 5,
      label: "share of real texts taken for random",
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: 44,
    },
    y: { domain: [0, 1], ticks: 5, label: null, grid: true },
    marks: [
      verticalLabel("share of random texts found", MARGIN),
      Plot.frame({ stroke: theme.muted, strokeOpacity: 0.5 }),
      Plot.line([0, 1], { x: Plot.identity, y: Plot.identity, stroke: theme.muted, strokeDasharray: "4,4" }),
      Plot.text(["chance"], { x: [0.5], y: [0.5], text: Plot.identity, fill: theme.muted, dx: 32, dy: 10 }),
      Plot.line(heldOut.roc, { ...place, stroke: curve, strokeWidth: 3 }),
      Plot.dot(point ? [point] : [], { ...place, r: 6, fill: chosen, stroke: theme.background, strokeWidth: 1.5 }),
    ],
  });
}

/** The point of a curve where the same texts are taken for random as with `threshold`: those that score below it. */
export function operatingPoint(roc: readonly RocPoint[], threshold: number): RocPoint | undefined {
  return roc
    .filter((point) => point.threshold >= threshold)
    .reduce<RocPoint | undefined>(
      (best, point) => (best && best.threshold <= point.threshold ? best : point),
      undefined,
    );
}
