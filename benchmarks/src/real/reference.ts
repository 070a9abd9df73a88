/** What others published about a model's results: `reference/real-gpt2.json`, and the file of logits beside it. */
import { readFile } from "node:fs/promises";
import type { GPT2Config } from "@gpt2-ts/gpt2";
import { open } from "safetensors-ts";

/** The JSON file. */
export interface ReferenceFile {
  /** What messages call the model. */
  readonly title: string;
  /** Fields of `config.json` that a model must share to be compared. */
  readonly shape: Readonly<Record<keyof typeof SHAPE_FIELDS, number>>;
  readonly lastLogits: {
    readonly source: string;
    /** The largest difference of a logit that still counts as equal. */
    readonly tolerance: number;
    /** Prompt n has the logits of tokens n, n + every, n + 2 · every, … */
    readonly every: number;
    readonly prompts: readonly {
      readonly text: string;
      readonly ids: readonly number[];
      /** The tokens most likely to follow, the likeliest first. */
      readonly likeliest: readonly number[];
    }[];
  };
  readonly greedy: readonly {
    readonly source: string;
    readonly prompt: string;
    readonly promptIds: readonly number[];
    readonly ids: readonly number[];
  }[];
  /** Nats per token of running text; anything else is no such model. */
  readonly loss: { readonly least: number; readonly most: number };
}

/** A prompt and what follows it. */
export interface PublishedPrompt {
  readonly text: string;
  readonly ids: readonly number[];
  readonly likeliest: readonly number[];
  /** The tokens whose logits are kept. */
  readonly tokens: readonly number[];
  /** [tokens] */
  readonly logits: Float32Array;
}

export interface Published extends Pick<ReferenceFile, "title" | "shape" | "greedy" | "loss"> {
  readonly tolerance: number;
  readonly prompts: readonly PublishedPrompt[];
}

const SHAPE_FIELDS = {
  n_layer: "nLayer",
  n_head: "nHead",
  n_embd: "nEmbd",
  n_positions: "nPositions",
  vocab_size: "vocabSize",
} as const satisfies Readonly<Record<string, keyof GPT2Config>>;

/** Reads `NAME.json`, and `NAME.safetensors`, where tensor `P<n>.logits` belongs to prompt n. */
export async function readPublished(file: string): Promise<Published> {
  const { title, shape, lastLogits, greedy, loss } = JSON.parse(await readFile(file, "utf8")) as ReferenceFile;
  const { tolerance, every } = lastLogits;
  await using tensors = await open(file.replace(/\.json$/, ".safetensors"));
  const prompts: PublishedPrompt[] = [];
  for (const [n, prompt] of lastLogits.prompts.entries()) {
    const tokens: number[] = [];
    for (let token = n % every; token < shape.vocab_size; token += every) tokens.push(token);
    const logits = await tensors.readFloat32(`P${n}.logits`);
    if (logits.length !== tokens.length) {
      throw new RangeError(`${file}: P${n}.logits has ${logits.length} values where ${tokens.length} were expected`);
    }
    prompts.push({ ...prompt, tokens, logits });
  }
  return { title, shape, greedy, loss, tolerance, prompts };
}

/** How a model's shape differs from the published one's; empty if it does not. */
export function shapeDifferences(config: GPT2Config, shape: ReferenceFile["shape"]): string[] {
  return Object.entries(SHAPE_FIELDS).flatMap(([field, key]) => {
    const expected = shape[field as keyof typeof SHAPE_FIELDS];
    return config[key] === expected ? [] : [`${field} is ${config[key]} where ${expected} was expected`];
  });
}
