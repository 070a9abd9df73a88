import type { LanguageModel, Score } from "@gpt2-ts/gpt2";
import { writeOut } from "../output.ts";
import type { Field } from "./fields.ts";
import { inOrder } from "./in-order.ts";
import type { Source } from "./input.ts";
import type { LineOptions } from "./line.ts";
import type { OutputFile } from "./output-file.ts";
import { joined, type Member, outputLine, Verbatim } from "./output-line.ts";
import { type Answer, type Pack, packsOf } from "./packs.ts";
import type { ScoreDisplay } from "./progress.ts";
import type { Position } from "./record.ts";

/** What is scored, how, and where the results go. */
export interface Scoring {
  readonly source: Source;
  readonly models: readonly LanguageModel[];
  readonly options: LineOptions & { readonly top?: number | undefined };
  /** Standard output if there is none. */
  readonly output: OutputFile | undefined;
  readonly display: ScoreDisplay | undefined;
  readonly signal: AbortSignal;
}

/**
 * Scores all lines of an input, in order, a pack at a time on each model.
 *
 * @returns where the input ended
 */
export async function scoreCorpus({ source, models, options, output, display, signal }: Scoring): Promise<Position> {
  const { stride, top, fields, resultKey } = options;
  const from = output?.position;
  display?.start(from);
  let end: Position | undefined;
  const packs = async function* (): AsyncGenerator<Pack> {
    end = yield* packsOf(source, models[0]!, options, from);
  };
  const score = async (model: LanguageModel, pack: Pack): Promise<Pack & { readonly scores: Score[] }> => {
    const texts = pack.answers.flatMap(({ ids }) => (ids ? [ids] : []));
    return { ...pack, scores: await model.scoreAll(texts, { stride, top, signal }) };
  };
  for await (const { answers, position, scores } of inOrder(packs(), models, score)) {
    signal.throwIfAborted();
    const lines = joined(outputLines(answers, scores, fields, resultKey));
    if (output) await output.write(lines, position);
    else for (const piece of lines) await writeOut(piece);
    display?.update(position);
  }
  return end!;
}

function* outputLines(
  answers: readonly Answer[],
  scores: readonly Score[],
  fields: readonly Field[],
  resultKey: string | undefined,
): Generator<string, void> {
  const next = scores.values();
  for (const answer of answers) {
    const { others, report } = answer;
    const members = report ? Object.entries(report) : membersOf(answer, next.next().value!, fields);
    yield* outputLine(others, members, resultKey);
  }
}

/** What is written of a score; a line of ids has no text. */
function* membersOf({ text }: Answer, score: Score, fields: readonly Field[]): Generator<Member, void> {
  for (const field of fields) {
    if (field !== "text") yield [field, score[field]];
    else if (text !== undefined) yield [field, new Verbatim(text)];
  }
}
