import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "@gpt2-ts/gpt2/node";
import type { Hw1Results } from "../results.ts";
import { histogram, jointHistogram, likelihoodAxis } from "./histogram.ts";
import { toPng } from "./png.ts";
import { rocFigure } from "./roc.ts";
import { DARK, LIGHT, type Theme } from "./theme.ts";
import { tokenStrip } from "./token-strip.ts";

export { drawPlot, type Heading, headingHeight } from "./canvas.ts";
export { DARK, LIGHT, type Theme } from "./theme.ts";

/** A figure of a run. */
export interface Figure {
  /** Its files' name without ending: `NAME.svg` and `NAME.png` are light, `NAME-dark.svg` and `NAME-dark.png` dark. */
  readonly name: string;
  /** What it shows, for those who cannot see it. */
  readonly alt: string;
  readonly draw: (theme: Theme) => string;
}

/**
 * The figures that the results have something to show for.
 *
 * @throws RangeError for an invalid log-likelihood
 */
export function figuresOf({ likelihood, classification }: Hw1Results): Figure[] {
  const figures: Figure[] = [];
  if (likelihood) {
    const { sets, strip } = likelihood;
    const axis = likelihoodAxis(sets);
    for (const [series, set] of sets.entries()) {
      figures.push({
        name: `likelihood-${set.name}`,
        alt: `Histogram of the log-likelihood of each text: ${set.title}`,
        draw: (theme) => histogram(set, { theme, axis, series }),
      });
    }
    figures.push({
      name: "likelihood-joint",
      alt: "Histograms of the log-likelihood of all sets over one axis",
      draw: (theme) => jointHistogram(sets, { theme, axis }),
    });
    figures.push({
      name: "likelihood-tokens",
      alt: "A text with each token on the colour of its log-probability",
      draw: (theme) => tokenStrip(strip, theme),
    });
  }
  if (classification) {
    figures.push({
      name: "roc",
      alt: `ROC curve of random against real texts, AUC ${classification.heldOut.auc.toFixed(4)}`,
      draw: (theme) => rocFigure(classification, theme),
    });
  }
  return figures;
}

/** Writes each figure into a folder, as SVG and PNG, light and dark. Returns the files' names. */
export async function writeFigures(folder: string, figures: readonly Figure[]): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const { name, draw } of figures) {
    for (const theme of [LIGHT, DARK]) {
      const svg = draw(theme);
      const base = theme === DARK ? `${name}-dark` : name;
      await writeWhole(join(folder, `${base}.svg`), svg);
      await writeWhole(join(folder, `${base}.png`), await toPng(svg));
      written.push(`${base}.svg`, `${base}.png`);
    }
  }
  return written;
}
