import { ticks } from "d3-array";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { count } from "../format.ts";
import type { Losses } from "./training.ts";

interface LossChartProps {
  readonly losses: Losses;
  readonly steps: number;
  /** The loss of a model that guesses. */
  readonly guessing: number;
}

type Point = readonly [step: number, loss: number];

const HEIGHT = 232;
const MARGIN = { left: 32, right: 8, top: 12, bottom: 24 };
/** More points than that are no more to be seen. */
const MOST_POINTS = 240;

/** The losses of a training as it goes: of each step, and of the held-out text. */
export function LossChart({ losses, steps, guessing }: LossChartProps) {
  const figure = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(560);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(200, Math.round(entry!.contentRect.width))));
    observer.observe(figure.current!);
    return () => observer.disconnect();
  }, []);

  const train = thinned(losses.train);
  const highest = Math.max(
    guessing * 1.04,
    ...train.map(([, loss]) => loss),
    ...losses.heldOut.map(([, loss]) => loss),
  );
  const x = (step: number): number => MARGIN.left + (step / steps) * (width - MARGIN.left - MARGIN.right);
  const y = (loss: number): number => MARGIN.top + (1 - loss / highest) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const line = (points: readonly Point[]): string =>
    points.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");

  return (
    <div class="loss-chart" ref={figure}>
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} role="img" aria-label={told(losses, steps)}>
        {ticks(0, highest, 4).map((loss) => (
          <g key={loss} class="grid">
            <path d={`M${MARGIN.left} ${y(loss).toFixed(1)}H${width - MARGIN.right}`} />
            <text x={MARGIN.left - 8} y={y(loss) + 4} text-anchor="end">
              {loss}
            </text>
          </g>
        ))}
        {ticks(0, steps, width < 400 ? 3 : 6)
          .filter(Number.isInteger)
          .map((step) => (
            <text key={step} class="grid" x={x(step)} y={HEIGHT - 6} text-anchor={step === steps ? "end" : "middle"}>
              {count(step)}
            </text>
          ))}
        <path class="guessing" d={`M${MARGIN.left} ${y(guessing).toFixed(1)}H${width - MARGIN.right}`} />
        <text class="guessing-label" x={width - MARGIN.right} y={y(guessing) + 16} text-anchor="end">
          guessing
        </text>
        <polyline class="train-line" points={line(train)} />
        <polyline class="held-out-line" points={line(losses.heldOut)} />
        {losses.heldOut.map(([step, loss]) => (
          <circle key={step} class="held-out-dot" cx={x(step)} cy={y(loss)} r="2.5" />
        ))}
      </svg>
    </div>
  );
}

function told({ train, heldOut }: Losses, steps: number): string {
  const [step, loss] = train.at(-1) ?? [0, undefined];
  const held = heldOut.at(-1)?.[1];
  const parts = [
    `Loss after step ${step} of ${steps}`,
    ...(loss === undefined ? [] : [`training ${loss.toFixed(2)}`]),
    ...(held === undefined ? [] : [`held out ${held.toFixed(2)}`]),
  ];
  return `${parts.join(", ")}, in nats a token`;
}

/** Means of neighbouring points, so that there are not too many. */
function thinned(points: readonly Point[]): Point[] {
  const each = Math.max(1, Math.ceil(points.length / MOST_POINTS));
  return Array.from({ length: Math.ceil(points.length / each) }, (_, i) => {
    const some = points.slice(i * each, (i + 1) * each);
    return [some.at(-1)![0], some.reduce((sum, [, loss]) => sum + loss, 0) / some.length];
  });
}
