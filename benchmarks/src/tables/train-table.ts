/** The tables of `bench:train`. */
import type { ProcessorResults } from "../results-file.ts";
import { TRAIN_PARTS, type TrainPart, type TrainPartName, type TrainResult } from "../train/result.ts";
import { byProcessor, figure, nodeMajor, provenance, times } from "./figures.ts";
import { table } from "./markdown.ts";

const WHAT: Readonly<Record<TrainPartName, string>> = {
  "124m": "124M shape",
  stories: "shipped model",
  block: "a block",
};

/** Every quantity of every engine, a table for each Node version. */
export function trainTable(all: readonly ProcessorResults<TrainResult>[]): string | undefined {
  return byProcessor(all, (results) => results.flatMap(({ parts }) => sectionsOf(parts)));
}

function sectionsOf(parts: TrainResult["parts"]): string[] {
  const present = TRAIN_PARTS.flatMap((name) => {
    const part = parts[name];
    return part === undefined ? [] : [{ name, part }];
  });
  const [first] = present;
  if (first === undefined) return [];
  const head = ["what", "engine", "Node", "median", "range", "gpt2-ts : it"];
  const rows = present.flatMap(({ name, part }) => rowsOf(WHAT[name], part));
  return [
    table(head, rows),
    ...present.flatMap(({ name, part }) => memoryOf(WHAT[name], part)),
    provenance(first.part),
  ];
}

function rowsOf(what: string, part: TrainPart): string[][] {
  return part.comparisons.flatMap(({ title, unit, measured, ratios }) =>
    measured.map(({ engine, median, min, max }) => {
      const ratio = ratios.find(({ peer }) => peer === engine)?.ratio;
      const range = `${figure(min, unit)} – ${figure(max, unit)}`;
      return [`${what}: ${title}`, engine, nodeMajor(part), figure(median, unit), range, ratio ? times(ratio) : ""];
    }),
  );
}

function memoryOf(what: string, { memory }: TrainPart): string[] {
  if (memory === undefined) return [];
  const [taken, estimated] = [memory.deviceBytes, memory.estimateBytes].map((bytes) => figure(bytes, "bytes"));
  return [`${what}: ${taken} of wasm memory, ${memory.ratio.toFixed(2)} times the estimate of ${estimated}.`];
}
