import { type GPT2Config, StreamEncoder, type Tokenizer } from "@gpt2-ts/gpt2";
import { showValue } from "@gpt2-ts/tensor/options";
import { badRequest } from "../api-error.ts";
import type { PromptField } from "./body.ts";

/** Characters that are encoded before their tokens are counted, so that a text that is far too long takes no time. */
const CHARACTERS_AT_ONCE = 2 ** 14;

/** What a prompt is turned into tokens with. */
export interface PromptModel {
  readonly config: GPT2Config;
  readonly tokenizer: Tokenizer;
}

/**
 * Prompts in tokens. `<|endoftext|>` in a text is the token; a prompt that is empty or not there is this token, the beginning of a
 * text.
 *
 * @throws ApiError
 */
export function promptsOf(model: PromptModel, prompt: PromptField | undefined, mostPrompts: number): number[][] {
  const prompts = listOf(prompt ?? "");
  if (prompts.length > mostPrompts) {
    throw badRequest(
      `prompt has ${prompts.length} prompts, and a request may have ${mostPrompts}`,
      "prompt",
      "too_many_prompts",
    );
  }
  return prompts.map((each, i) => {
    const place = prompt === each || prompt === undefined ? "prompt" : `prompt[${i}]`;
    const ids = typeof each === "string" ? idsOfText(model, each, place) : each;
    if (typeof each !== "string") checkIds(model, each, place);
    return ids.length === 0 ? [beginning(model)] : [...ids];
  });
}

/** The prompts that a field holds: one or more. */
function listOf(prompt: unknown): readonly (string | readonly number[])[] {
  if (typeof prompt === "string") return [prompt];
  if (!Array.isArray(prompt)) throw badForm(prompt);
  if (prompt.length === 0) throw badRequest("prompt is an empty list", "prompt", "invalid_value");
  if (typeof prompt[0] === "number") return [prompt];
  const texts = typeof prompt[0] === "string";
  const other = prompt.find((each) => (texts ? typeof each !== "string" : !Array.isArray(each)));
  if (other !== undefined) throw badForm(other);
  return prompt;
}

function badForm(value: unknown): Error {
  return badRequest(
    `prompt: expected a text, a list of texts, a list of token ids or a list of such lists, got ${showValue(value)}`,
    "prompt",
    "invalid_value",
  );
}

function checkIds({ config: { vocabSize } }: PromptModel, ids: readonly unknown[], place: string): void {
  for (const [i, id] of ids.entries()) {
    if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize) continue;
    throw badRequest(
      `${place}[${i}]: expected a token id from 0 to ${vocabSize - 1}, got ${showValue(id)}`,
      "prompt",
      "invalid_value",
    );
  }
}

function idsOfText({ config: { nPositions }, tokenizer }: PromptModel, text: string, place: string): number[] {
  const encoder = new StreamEncoder(tokenizer, { allowedSpecial: "all" });
  const ids: number[] = [];
  for (let start = 0; start < text.length; start += CHARACTERS_AT_ONCE) {
    for (const id of encoder.push(text.slice(start, start + CHARACTERS_AT_ONCE))) ids.push(id);
    if (ids.length > nPositions) {
      throw badRequest(
        `${place} has more tokens than the model's context, ${nPositions} (n_positions): shorten it`,
        "prompt",
        "context_length_exceeded",
      );
    }
  }
  for (const id of encoder.flush()) ids.push(id);
  return ids;
}

/** The token that a text begins with. */
function beginning({ config: { bosTokenId, eosTokenIds, vocabSize }, tokenizer }: PromptModel): number {
  const id = [bosTokenId, tokenizer.startOfText, ...eosTokenIds, tokenizer.endOfText].find(
    (candidate) => candidate !== undefined && candidate < vocabSize,
  );
  if (id !== undefined) return id;
  throw badRequest("prompt is empty, and this vocabulary has no <|endoftext|> to begin with", "prompt", "empty_prompt");
}
