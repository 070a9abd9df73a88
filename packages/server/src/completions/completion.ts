import { randomUUID } from "node:crypto";
import type { ModelHost } from "../model-host.ts";
import type { ChoiceEvent } from "../thread/protocol.ts";
import { ChoiceText, joined, type Piece } from "./choice-text.ts";
import type { CompletionRequest, ServedModel } from "./parse.ts";

/** Tokens that an answer took. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export interface CompletionListener {
  /** Nothing was waited for in vain any more: the first text was begun. */
  begun?(): void;
  /** So many tokens were generated. */
  tokens?(count: number): void;
  /** What a pass has added to a choice. */
  piece?(index: number, piece: Piece): void;
}

/** An answer that is being made: its texts, in the order of the prompts and of each prompt's samples. */
export class Completion {
  readonly id = `cmpl-${randomUUID().replaceAll("-", "")}`;
  readonly #created = Math.floor(Date.now() / 1000);
  readonly #model: ServedModel;
  readonly #request: CompletionRequest;
  readonly #choices: ChoiceText[];
  readonly #pieces: Piece[][];
  #generated = 0;

  constructor(model: ServedModel, request: CompletionRequest) {
    const { work, echo } = request;
    const { tokenizer } = model;
    this.#model = model;
    this.#request = request;
    this.#choices = work.prompts.flatMap((prompt) =>
      Array.from({ length: work.samples }, () => new ChoiceText({ tokenizer, prompt, echo, logprobs: work.logprobs })),
    );
    this.#pieces = this.#choices.map(() => []);
  }

  get usage(): Usage {
    const prompt = this.#request.work.prompts.reduce((sum, { length }) => sum + length, 0);
    return { prompt_tokens: prompt, completion_tokens: this.#generated, total_tokens: prompt + this.#generated };
  }

  /**
   * Has it made. Resolves once it is complete.
   *
   * @throws what went wrong in the thread; `signal.reason` when aborted
   */
  run(host: ModelHost, listener: CompletionListener, signal: AbortSignal): Promise<void> {
    const { work } = this.#request;
    if (work.maxTokens === 0 && !work.promptLogprobs) {
      for (const index of this.#choices.keys())
        this.#add({ id: 0, index, tokens: [], text: "", finish: "length" }, listener);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      let open = this.#choices.length;
      const cancel = host.begin(work, {
        begun: () => listener.begun?.(),
        event: (event) => {
          this.#add(event, listener);
          if (event.finish !== undefined && --open === 0) settle(resolve);
        },
        failed: (error) => settle(() => reject(error)),
      });
      const abort = (): void => {
        cancel();
        settle(() => reject(signal.reason));
      };
      const settle = (how: () => void): void => {
        signal.removeEventListener("abort", abort);
        how();
      };
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort);
    });
  }

  #add(event: ChoiceEvent, listener: CompletionListener): void {
    const piece = this.#choices[event.index]!.add(event);
    this.#generated += event.tokens.length;
    if (event.tokens.length > 0) listener.tokens?.(event.tokens.length);
    if (!this.#request.stream) this.#pieces[event.index]!.push(piece);
    listener.piece?.(event.index, piece);
  }

  /** The whole answer. */
  body(): object {
    const choices = this.#pieces.map((pieces, index) => choice(index, joined(pieces)));
    return { ...this.#head, choices, usage: this.usage };
  }

  /** A part of a streamed answer. */
  chunk(index: number, piece: Piece): object {
    const usage = this.#request.includeUsage ? { usage: null } : {};
    return { ...this.#head, choices: [choice(index, piece)], ...usage };
  }

  /** The last part of a streamed answer, if it was asked for. */
  usageChunk(): object {
    return { ...this.#head, choices: [], usage: this.usage };
  }

  get #head(): object {
    return { id: this.id, object: "text_completion", created: this.#created, model: this.#model.settings.name };
  }
}

function choice(index: number, { text, logprobs, finish }: Piece): object {
  return { text, index, logprobs, finish_reason: finish };
}
