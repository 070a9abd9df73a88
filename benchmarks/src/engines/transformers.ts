/**
 * GPT-2 on transformers.js, which runs onnxruntime-node: generation by its own loop, scoring in padded batches. Prompts
 * are token ids for every engine, so its tokenizer is not measured.
 */
import { basename, dirname, sep } from "node:path";
import { logProbability } from "../log-probability.ts";
import type { EngineSpec, LanguageEngine, Sequence } from "./language-engine.ts";
import { importPeer, peerVersion } from "./peers.ts";

/** The part of transformers.js that is used here. */
interface Transformers {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly Tensor: new (type: "int64", data: BigInt64Array, dims: readonly number[]) => IdTensor;
  readonly AutoModelForCausalLM: { from_pretrained(name: string, options: object): Promise<CausalLM> };
}
interface IdTensor {
  readonly dims: readonly number[];
}
interface CausalLM {
  (inputs: object): Promise<{ readonly logits: { readonly data: Float32Array }; readonly past_key_values?: unknown }>;
  generate(options: object): Promise<unknown>;
}

/**
 * Texts that are padded to one length and run at once. Of 1, 4, 8 and 16 this was the fastest for texts sorted by length, and
 * nearly twice as fast as for texts in the order given.
 */
const BATCH = 8;

export async function loadTransformers({
  model: folder,
  threads,
  unsorted = false,
}: EngineSpec): Promise<LanguageEngine> {
  const library = await importPeer<Transformers>("@huggingface/transformers", "dist/transformers.node.mjs");
  library.env.allowRemoteModels = false;
  library.env.localModelPath = `${dirname(folder)}${sep}`;
  const model = await library.AutoModelForCausalLM.from_pretrained(basename(folder), {
    local_files_only: true,
    dtype: "fp32",
    device: "cpu",
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  const rows = (values: readonly ArrayLike<number>[]): IdTensor => {
    const width = values[0]?.length ?? 0;
    const data = BigInt64Array.from(values.flatMap((row) => Array.from(row, BigInt)));
    return new library.Tensor("int64", data, [values.length, width]);
  };
  const onnxruntime = peerVersion("onnxruntime-node");
  const version = peerVersion("@huggingface/transformers");
  return {
    facts: {
      engine: "transformers.js",
      version: `${version} (onnxruntime-node ${onnxruntime})`,
      threads,
      batch: BATCH,
      sorted: !unsorted,
    },
    start: (): Sequence => {
      let past: unknown;
      let length = 0;
      return {
        async forward(ids) {
          length += ids.length;
          const attention_mask = rows([new Array<number>(length).fill(1)]);
          const output = await model({ input_ids: rows([ids]), attention_mask, past_key_values: past ?? null });
          past = output.past_key_values;
          return output.logits.data;
        },
        dispose() {
          past = undefined;
        },
      };
    },
    async decode(prompt, tokens) {
      const stamps: number[] = [];
      const streamer = { put: () => stamps.push(performance.now()), end: () => {} };
      await model.generate({
        inputs: rows([prompt]),
        attention_mask: rows([new Array<number>(prompt.length).fill(1)]),
        max_new_tokens: tokens + 1,
        min_new_tokens: tokens + 1,
        do_sample: false,
        streamer,
      });
      const [, first = Number.NaN] = stamps; // it gets the prompt, then each new token
      if (stamps.length !== tokens + 2) throw new Error(`transformers.js generated ${stamps.length - 1} tokens`);
      return (stamps.at(-1)! - first) / 1000;
    },
    async score(texts) {
      const sums = new Array<number>(texts.length);
      const ordered = [...texts.entries()];
      if (!unsorted) ordered.sort(([, a], [, b]) => a.length - b.length);
      for (let start = 0; start < texts.length; start += BATCH) {
        const places = ordered.slice(start, start + BATCH).map(([i]) => i);
        const batch = places.map((i) => texts[i]!);
        // The last token of a text is predicted but predicts nothing; our own engine leaves it out too.
        const width = Math.max(...batch.map(({ length }) => length)) - 1;
        const padded = (value: (ids: Int32Array, i: number) => number): IdTensor =>
          rows(batch.map((ids) => Array.from({ length: width }, (_, i) => (i < ids.length - 1 ? value(ids, i) : 0))));
        const { logits } = await model({
          input_ids: padded((ids, i) => ids[i]!),
          attention_mask: padded(() => 1),
        });
        const vocab = logits.data.length / (batch.length * width);
        for (const [b, ids] of batch.entries()) {
          let sum = 0;
          for (let t = 1; t < ids.length; t++) {
            const row = (b * width + t - 1) * vocab;
            sum += logProbability(logits.data.subarray(row, row + vocab), ids[t]!);
          }
          sums[places[b]!] = sum;
        }
      }
      return sums;
    },
  };
}
