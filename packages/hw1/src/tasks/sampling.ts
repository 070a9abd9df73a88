import type { Sample, SampleRun } from "../results.ts";
import { sample } from "../sample.ts";
import { type Setting, writeOutput } from "./setting.ts";

/** The course's. */
const TOP_K = 40;

/** A file of samples to be made. */
export interface SamplePlan extends Pick<SampleRun, "file" | "temperature" | "horizon"> {
  /** How many, from the first prompt on. Default: one for each prompt. */
  readonly count?: number;
  /** Tokens of each. Default: the setting's. */
  readonly length?: number;
}

/** Problem 6.3. */
export const plainSamples: SamplePlan = { file: "samples.txt", temperature: 1, horizon: 1 };

/** Problem 6.6. */
export const temperatureSamples: SamplePlan = { file: "samples_temperature0-95.txt", temperature: 0.95, horizon: 1 };

/** Problem 6.7b. */
export const horizon2Samples: SamplePlan = {
  file: "samples_temperature0-95_horizon2.txt",
  temperature: 0.95,
  horizon: 2,
};

/** Problem 6.7b as the course's starter code makes its file. */
export const courseHorizon2Samples: SamplePlan = { ...horizon2Samples, count: 1, length: 100 };

/** Continues the prompts and writes the file. Sample i has seed `seed + i`. */
export async function runSampling(setting: Setting, plan: SamplePlan): Promise<SampleRun> {
  const { model, data, seed, horizon2TopK, signal, progress } = setting;
  const { file, temperature, horizon, count, length = setting.length } = plan;
  const prompts = data.prompts.slice(0, count);
  const samples: Sample[] = [];
  const { nPositions } = model.config;
  const room = prompts.map((prompt) => Math.min(length, nPositions - model.tokenizer.encode(prompt).length));
  progress.start(room.reduce((sum, tokens) => sum + tokens, 0));
  let drawn = 0;
  for (const [i, prompt] of prompts.entries()) {
    const onToken = (): void => progress.update(++drawn, `${file}, tokens`);
    const scaling = { topK: TOP_K, temperature, horizon, horizon2TopK };
    samples.push(await sample(model, prompt, { ...scaling, length, seed: seed + i, onToken, signal }));
  }
  progress.stop();
  await writeOutput(setting, file, samples.map(heading).join(""));
  return { file, topK: TOP_K, temperature, horizon, ...(horizon === 2 && { horizon2TopK }), samples };
}

function heading({ prompt, continuation }: Sample, i: number): string {
  const line = "=".repeat(50);
  return `${line} SAMPLE_${i} ${line}\n${prompt}${continuation}\n`;
}
