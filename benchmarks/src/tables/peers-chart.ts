/** What `bench:peers` found, as bars. */
import { DARK, drawPlot, headingHeight, LIGHT, type Theme } from "@gpt2-ts/hw1/figures";
import * as Plot from "@observablehq/plot";
import type { PeerPartName, PeersResult } from "../peers/result.ts";
import type { ProcessorResults } from "../results-file.ts";
import { OURS, show } from "../speed/compare.ts";
import type { Comparison } from "../speed/result.ts";

const ROW = 30;
const BARS = 460;
const NAMES = 190;
const VALUES = 110;
const MARGIN_BELOW = 24;

interface Chart {
  readonly part: PeerPartName;
  readonly title: string;
  /** Tokens per second of a sample. */
  readonly speed: (sample: number) => number;
}

const PREFILL_TOKENS = 512;
const CHARTS: readonly Chart[] = [
  { part: "decode", title: "Decoding, tokens per second", speed: (sample) => sample },
  {
    part: "prefill",
    title: `Reading ${PREFILL_TOKENS} tokens, per second`,
    speed: (seconds) => PREFILL_TOKENS / seconds,
  },
  { part: "score", title: "Scoring 200 texts, tokens per second", speed: (sample) => sample },
];

/** SVG files by name: of the newest Node of each processor, light and dark. */
export function peersCharts(all: readonly ProcessorResults<PeersResult>[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const { processor, results } of all) {
    for (const chart of CHARTS) {
      const part = results.at(-1)?.parts[chart.part];
      const comparison = part?.comparisons[0];
      if (part === undefined || comparison === undefined) continue;
      const { node } = part.conditions;
      const line = `GPT-2 small, ${part.threads} threads; ${processor.title}, Node ${node}. Medians; the lines are the ranges.`;
      for (const [name, theme] of Object.entries({ light: LIGHT, dark: DARK })) {
        files.set(chartName(chart.part, processor.slug, name), drawBars(chart, line, comparison, theme));
      }
    }
  }
  return files;
}

/** In `docs/figures`. */
export function chartName(part: PeerPartName, slug: string, theme: string): string {
  return `peers-${part}-${slug}${theme === "dark" ? "-dark" : ""}.svg`;
}

function drawBars({ title, speed }: Chart, line: string, { measured }: Comparison, theme: Theme): string {
  const [ours, peers] = [theme.series[0], theme.series[1]];
  const bars = measured
    .map(({ engine, median, min, max }) => {
      const ends = [speed(min), speed(max)] as const;
      const colour = engine.startsWith(OURS) ? ours : peers;
      return { engine, median: speed(median), low: Math.min(...ends), high: Math.max(...ends), colour };
    })
    .sort((a, b) => b.median - a.median);
  const heading = { title, lines: [{ text: line }] };
  const marginTop = headingHeight(heading) + 16;
  return drawPlot(theme, heading, {
    width: NAMES + BARS + VALUES,
    height: marginTop + bars.length * ROW + MARGIN_BELOW,
    marginTop,
    marginLeft: NAMES,
    marginRight: VALUES,
    marginBottom: MARGIN_BELOW,
    x: { axis: null, domain: [0, Math.max(...bars.map(({ high }) => high))] },
    y: { label: null, domain: bars.map(({ engine }) => engine), padding: 0.25, tickSize: 0 },
    marks: [
      Plot.barX(bars, { x: "median", y: "engine", fill: { value: "colour", scale: null } }),
      Plot.ruleY(bars, { x1: "low", x2: "high", y: "engine", stroke: theme.ink, strokeWidth: 1.5 }),
      Plot.text(bars, {
        x: "high",
        y: "engine",
        text: ({ median }) => show(median),
        textAnchor: "start",
        dx: 8,
        fill: theme.ink,
        fontWeight: "bold",
      }),
    ],
  });
}
