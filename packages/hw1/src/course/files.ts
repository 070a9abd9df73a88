import { histogram, LOWEST, likelihoodAxis } from "../figures/histogram.ts";
import { toPng } from "../figures/png.ts";
import { LIGHT } from "../figures/theme.ts";
import type { ClassificationResults, LikelihoodResults } from "../results.ts";
import { type Setting, writeOutput } from "../tasks/setting.ts";
import { pickleBools, pickleFloatArray } from "./pickle.ts";

/** The course's names of the three sets, in the order of {@link LikelihoodResults}. */
const NAMES = ["random", "shakespeare", "neurips"] as const;

/**
 * Writes what the course's starter code leaves beside the samples: `NAME_raw.pkl`, a NumPy array of the log-likelihoods of a set;
 * `NAME.png`, their histogram from -600 to 0; and `classification.pkl`, a list of bools, true for random.
 *
 * @returns the files' names
 * @throws RangeError for an invalid log-likelihood, before anything is written
 */
export async function writeCourseFiles(
  setting: Setting,
  { sets }: LikelihoodResults,
  { mixed }: ClassificationResults,
): Promise<string[]> {
  likelihoodAxis(sets); // checks them
  const written: string[] = [];
  const write = async (file: string, data: Uint8Array): Promise<void> => {
    await writeOutput(setting, file, data);
    written.push(file);
  };
  for (const [series, name] of NAMES.entries()) {
    const set = sets[series]!;
    setting.signal.throwIfAborted();
    await write(`${name}_raw.pkl`, pickleFloatArray(set.logLikelihoods));
    await write(`${name}.png`, await toPng(histogram(set, { theme: LIGHT, axis: [LOWEST, 0], series })));
  }
  await write("classification.pkl", pickleBools(mixed.random));
  return written;
}
