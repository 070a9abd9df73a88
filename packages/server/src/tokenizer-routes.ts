import { setImmediate } from "node:timers/promises";
import { StreamEncoder, type Tokenizer } from "@gpt2-ts/gpt2";
import { showValue } from "@gpt2-ts/tensor/options";
import type { FastifyInstance } from "fastify";
import { badRequest } from "./api-error.ts";
import type { ServedModel } from "./completions/parse.ts";

/** Characters that are encoded before others get a turn: about ten milliseconds. */
const CHARACTERS_AT_ONCE = 2 ** 15;

const nullable = true;

/** Adds `POST /tokenize`, `POST /detokenize` and `GET /tokenizer_info`, as lm-evaluation-harness asks for them. */
export function addTokenizer(app: FastifyInstance, { tokenizer, config, settings }: ServedModel): void {
  app.post<{ Body: { prompt: string } }>("/tokenize", {
    schema: {
      body: {
        type: "object",
        additionalProperties: false,
        required: ["prompt"],
        properties: {
          model: { type: "string", nullable },
          prompt: { type: "string" },
          // GPT-2's tokenizer adds none.
          add_special_tokens: { type: "boolean", nullable },
        },
      },
    },
    handler: async ({ body: { prompt } }) => {
      const tokens = await encoded(tokenizer, prompt);
      return { count: tokens.length, max_model_len: config.nPositions, tokens };
    },
  });

  app.post<{ Body: { tokens: readonly number[] } }>("/detokenize", {
    schema: {
      body: {
        type: "object",
        additionalProperties: false,
        required: ["tokens"],
        properties: { model: { type: "string", nullable }, tokens: { type: "array" } },
      },
    },
    handler: async ({ body: { tokens } }) => {
      const wrong = tokens.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= config.vocabSize);
      if (wrong < 0) return { prompt: tokenizer.decode(tokens) };
      throw badRequest(
        `tokens[${wrong}]: expected a token id from 0 to ${config.vocabSize - 1}, got ${showValue(tokens[wrong])}`,
        "tokens",
        "invalid_value",
      );
    },
  });

  app.get("/tokenizer_info", async () => {
    const textOf = (id: number | undefined): string | null => (id === undefined ? null : tokenizer.decode([id]));
    return {
      model: settings.name,
      eos_token: textOf(config.eosTokenIds[0] ?? tokenizer.endOfText),
      bos_token: textOf(config.bosTokenId ?? tokenizer.startOfText),
      pad_token: null, // GPT-2 has none
      chat_template: null,
    };
  });
}

/** A text's tokens, special ones among them. */
async function encoded(tokenizer: Tokenizer, text: string): Promise<number[]> {
  const encoder = new StreamEncoder(tokenizer, { allowedSpecial: "all" });
  const ids: number[] = [];
  for (let start = 0; start < text.length; start += CHARACTERS_AT_ONCE) {
    for (const id of encoder.push(text.slice(start, start + CHARACTERS_AT_ONCE))) ids.push(id);
    await setImmediate();
  }
  for (const id of encoder.flush()) ids.push(id);
  return ids;
}
