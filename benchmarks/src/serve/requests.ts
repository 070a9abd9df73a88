/** What the load asks for: pieces of a book, lists of ids, several prompts at once; drawn and streamed, or not; and what must be refused. */
import type { GPT2 } from "@gpt2-ts/gpt2";
import { Generator } from "@gpt2-ts/tensor";
import type { CompletionBody, SendOptions } from "./client.ts";

/** A request and what has to come back, to the bit. */
export interface GoodRequest {
  readonly body: CompletionBody;
  readonly texts: readonly string[];
  /** Of the tokens of each text, if the request asks for them. */
  readonly logprobs: readonly (readonly number[])[] | undefined;
}

/** A request that has to be refused. */
export interface BadRequest {
  readonly what: string;
  readonly body: CompletionBody;
  readonly options: SendOptions;
}

const LONGEST_PROMPT = 160;
const LONGEST_OUTPUT = 64;

/** So many requests; the library computes alone, one text after the other, what each has to bring. */
export async function goodRequests(model: GPT2, book: string, count: number, seed: number): Promise<GoodRequest[]> {
  const random = new Generator(seed);
  const below = (bound: number): number => Math.floor(random.uniform() * bound);
  const ids = model.tokenizer.encode(book);
  const requests: GoodRequest[] = [];
  for (let i = 0; i < count; i++) {
    const prompts = Array.from({ length: i % 8 === 7 ? 2 : 1 }, () => {
      const length = 1 + below(LONGEST_PROMPT);
      const from = below(ids.length - length);
      return ids.slice(from, from + length);
    });
    const [first = []] = prompts;
    const texts = prompts.map((prompt) => model.tokenizer.decode(prompt));
    const temperature = i % 3 === 0 ? 0 : 1;
    const logprobs = i % 5 === 1;
    const common = { max_tokens: 1 + below(LONGEST_OUTPUT), temperature, seed: below(2 ** 31) };
    const body: CompletionBody = {
      prompt: prompts.length > 1 ? texts : i % 4 === 2 ? first : texts[0]!,
      ...(prompts.length > 1 ? { ...common, temperature: 0 } : common),
      ...(logprobs ? { logprobs: 1 } : {}),
      stream: !logprobs && i % 2 === 0,
    };
    requests.push({ body, ...(await answersAlone(model, body)) });
  }
  return requests;
}

async function answersAlone(model: GPT2, body: CompletionBody): Promise<Pick<GoodRequest, "texts" | "logprobs">> {
  const { prompt, max_tokens: maxTokens, temperature, seed, logprobs } = body;
  const prompts = typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt] : prompt;
  const texts: string[] = [];
  const likelihoods: (readonly number[])[] = [];
  for (const one of prompts as readonly (string | readonly number[])[]) {
    const answer = await model.generate(one, { maxTokens, temperature, seed, logprobs: logprobs !== undefined });
    texts.push(answer.text);
    likelihoods.push(answer.logprobs ?? []);
  }
  return { texts, logprobs: logprobs === undefined ? undefined : likelihoods };
}

/** One of each kind, the next at each call. */
export function* badRequests(context: number, vocabSize: number): Iterator<BadRequest, never> {
  const body: CompletionBody = { prompt: "To be", max_tokens: 8, temperature: 0 };
  const of = (what: string, change: object, options: SendOptions = {}): BadRequest => ({
    what,
    body: { ...body, ...change },
    options,
  });
  const all = [
    of("JSON that is cut off", {}, { raw: '{"prompt": "To be", "max_tokens": ' }),
    of("no JSON", {}, { raw: "To be, or not to be", contentType: "text/plain" }),
    of("an unknown option", { temprature: 1 }),
    of("an option of another type", { max_tokens: "many" }),
    of("an option out of range", { temperature: -1 }),
    of("a token that is not there", { prompt: [vocabSize] }),
    of("a prompt beyond the context", { prompt: Array.from({ length: context + 1 }, () => 1) }),
    of("too many log-probabilities", { logprobs: 21 }),
  ];
  while (true) yield* all;
}
