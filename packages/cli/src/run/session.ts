import type { GenerateOptions, GenerationEvent, GPT2 } from "@gpt2-ts/gpt2";

/** A text that someone and the model write in turns. */
export class Session {
  readonly #model: GPT2;
  #ids: number[] = [];
  #atLineStart = true;

  constructor(model: GPT2) {
    this.#model = model;
  }

  /** Forgets the text. */
  reset(): void {
    this.#ids = [];
    this.#atLineStart = true;
  }

  /**
   * Appends a line, which begins on a line of its own, and lets the model go on. What it writes belongs to the text then, also if
   * it is stopped. An empty line appends nothing.
   *
   * @param line as tokens would be read from it
   * @param options.maxTokens room is made for so many tokens, or half a context
   */
  async *take(
    line: string,
    options: GenerateOptions & { readonly seed: number; readonly maxTokens: number },
    encode: (text: string) => readonly number[],
  ): AsyncGenerator<GenerationEvent, void> {
    if (line !== "") this.#append(this.#atLineStart ? line : `\n${line}`, encode);
    let written = "";
    let ended = false;
    try {
      for await (const event of this.#model.events(this.#recent(options.maxTokens), options)) {
        written += event.text;
        ended = event.type === "end" && event.finishReason === "eos";
        yield event;
      }
    } finally {
      this.#append(written, (text) => this.#model.tokenizer.encode(text));
      if (ended) this.reset();
    }
  }

  #append(text: string, encode: (text: string) => readonly number[]): void {
    if (text === "") return;
    for (const id of encode(text)) this.#ids.push(id);
    this.#atLineStart = text.endsWith("\n");
  }

  /** The end of the text, as much of it as leaves room in the context. The rest is forgotten. */
  #recent(maxTokens: number): readonly number[] {
    const { nPositions } = this.#model.config;
    const room = Math.min(maxTokens, nPositions >> 1);
    this.#ids = this.#ids.slice(-Math.max(1, nPositions - room));
    return this.#ids;
  }
}
