import { draw, type GenerationEvent, nextToken } from "@gpt2-ts/gpt2";
import type { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import { Generator } from "@gpt2-ts/tensor";
import { signal } from "@preact/signals";
import { announce } from "../engine/announce.ts";
import { chosenToken, info, sampling, samplingOptions, session, speed, tokens, writing } from "../state.ts";
import { drawn, putTokens, remember } from "./edit.ts";
import { logitsAfter, next } from "./next.ts";
import { addScore, TOP } from "./scoring.ts";

/** Why it wrote no more, where the reader should know. */
export const note = signal<string | undefined>();

let controller = new AbortController();

export function stop(): void {
  controller.abort();
}

/** Continues the text by so many tokens. */
export async function write(): Promise<void> {
  await alone(async (model, signal) => {
    const { ids } = tokens.peek();
    const options = {
      ...samplingOptions.peek(),
      seed: sampling.seed.peek() + drawn.peek(),
      maxTokens: sampling.maxTokens.peek(),
    };
    let now = ids;
    for await (const event of model.events(ids, { ...options, top: TOP, signal })) {
      if (event.type === "token") now = append(now, event.id, event);
      else ended(event);
    }
  });
}

function ended({ finishReason, usage }: GenerationEvent & { readonly type: "end" }): void {
  const { generatedTokens, firstTokenTime, totalTime } = usage;
  if (firstTokenTime !== undefined && generatedTokens > 4) {
    speed.value = { ...speed.peek(), writing: (1000 * (generatedTokens - 1)) / (totalTime - firstTokenTime) };
  }
  if (finishReason === "eos") note.value = "The model ended its text here.";
  if (finishReason === "context") note.value = "The model's positions are full: it can write no further.";
  announce(`${generatedTokens} tokens written.`);
}

/** Continues the text by one token: the same one that `write` would begin with. */
export async function step(): Promise<void> {
  await alone(async (model, signal) => {
    const { ids } = tokens.peek();
    const generator = new Generator(sampling.seed.peek());
    for (let i = 0; i < drawn.peek(); i++) generator.uniform(); // one for each token
    const known = next.peek().value;
    const isKnown = known?.model === model && !next.peek().busy && known.ids.length === ids.length;
    const logits = isKnown ? known.logits : await logitsAfter(model, ids, signal);
    const id = draw(nextToken(logits, samplingOptions.peek(), ids), generator);
    if (endTokens(model).includes(id)) note.value = "The model ended its text here.";
    else append(ids, id);
  });
}

/** As `generate` has them. */
function endTokens({ config, tokenizer }: GPT2Worker): readonly number[] {
  const { endOfText } = tokenizer;
  return config.eosTokenIds.length > 0 || endOfText === undefined ? config.eosTokenIds : [endOfText];
}

/** Puts a token behind the text, with its score where that came along. */
function append(
  ids: readonly number[],
  id: number,
  scored?: GenerationEvent & { readonly type: "token" },
): readonly number[] {
  const longer = [...ids, id];
  if (scored) addScore(ids, id, { logprob: scored.logprob!, alternatives: scored.alternatives! });
  putTokens(longer);
  drawn.value++;
  return longer;
}

/** One after the other, never two at a time. */
async function alone(work: (model: GPT2Worker, signal: AbortSignal) => Promise<void>): Promise<void> {
  const model = session.peek()?.model;
  if (model === undefined || writing.peek()) return;
  controller = new AbortController();
  const { signal } = controller;
  note.value = undefined;
  if (tokens.peek().ids.length >= model.config.nPositions) {
    note.value = "The model's positions are full: it can write no further.";
    return;
  }
  remember();
  chosenToken.value = undefined;
  writing.value = true;
  try {
    await work(model, signal);
    info.value = await model.info();
  } catch (error) {
    if (!signal.aborted) note.value = (error as Error).message;
  } finally {
    writing.value = false;
  }
}
