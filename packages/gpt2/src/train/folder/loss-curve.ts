import type { LogRecord } from "./log.ts";

const [WIDTH, HEIGHT] = [720, 400];
const MARGIN = { left: 56, right: 16, top: 32, bottom: 40 };
/** More points than that are no more to be seen. */
const MOST_POINTS = 600;

type Point = readonly [step: number, loss: number];

/** The losses of a training as an SVG image: those of the steps, as means of neighbouring ones, and those of the held-out text. */
export function lossCurve(records: readonly LogRecord[]): string {
  const train = thinned(records.flatMap((record): Point[] => ("loss" in record ? [[record.step, record.loss]] : [])));
  const heldOut = records.flatMap((record): Point[] =>
    "heldOutLoss" in record ? [[record.step, record.heldOutLoss]] : [],
  );
  const all = [...train, ...heldOut];
  const lastStep = Math.max(1, ...all.map(([step]) => step));
  const losses = all.map(([, loss]) => loss);
  const ticks = niceTicks(Math.min(0, ...losses), Math.max(1, ...losses));
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  const x = (step: number): number => MARGIN.left + (step / lastStep) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (loss: number): number =>
    MARGIN.top + ((high - loss) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const steps = niceTicks(0, lastStep).filter((step) => step <= lastStep);
  const line = (points: readonly Point[], style: string): string =>
    points.length === 0
      ? ""
      : `<polyline fill="none" ${style} points="${points.map(([step, loss]) => `${rounded(x(step))},${rounded(y(loss))}`).join(" ")}"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...ticks.map(
      (loss) =>
        `<path d="M${MARGIN.left} ${rounded(y(loss))}H${WIDTH - MARGIN.right}" stroke="#ddd"/><text x="${MARGIN.left - 8}" y="${rounded(y(loss) + 4)}" text-anchor="end">${loss}</text>`,
    ),
    ...steps.map(
      (step) => `<text x="${rounded(x(step))}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${step}</text>`,
    ),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">step</text>`,
    `<text x="${MARGIN.left}" y="18">loss, nats per token:</text>`,
    `<text x="${MARGIN.left + 128}" y="18" fill="#4878b0">training</text>`,
    `<text x="${MARGIN.left + 188}" y="18" fill="#c44e20">held out</text>`,
    line(train, 'stroke="#4878b0"'),
    line(heldOut, 'stroke="#c44e20" stroke-width="2"'),
    "</svg>\n",
  ].join("\n");
}

/** Means of neighbouring points, so that there are not too many. */
function thinned(points: readonly Point[]): Point[] {
  const each = Math.ceil(points.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(points.length / Math.max(1, each)) }, (_, i) => {
    const some = points.slice(i * each, (i + 1) * each);
    return [some.at(-1)![0], some.reduce((sum, [, loss]) => sum + loss, 0) / some.length];
  });
}

/** About five round numbers from one at or below `low` to one at or above `high`. */
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough)! * power;
  const first = Math.floor(low / step);
  return Array.from({ length: Math.ceil(high / step) - first + 1 }, (_, i) => rounded((first + i) * step));
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
