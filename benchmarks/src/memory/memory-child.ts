/** The process whose memory is watched: loads a model and generates, recording its resident memory. */
import { Context, GPT2, loadModel, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { serve } from "../harness/child.ts";
import { peakResidentBytes } from "../harness/machine.ts";
import type { MemoryPoint } from "./result.ts";

/** Tokens between two notes of a decode without text. */
const STEP = 100;

serve({
  /** Loads a model folder and answers with the largest resident set until then. */
  async loadPeak(folder: string, threads: number): Promise<number> {
    await loadModel(await modelSource(folder), { device: createWasmBackend({ threads }) });
    return peakResidentBytes();
  },

  /** What an empty program of this kind takes: Node.js and the modules. */
  emptyPeak: async () => peakResidentBytes(),

  /** Texts one after the other through the public interface, tokenizer and sampling included; a note after each. */
  async generateTexts(folder: string, threads: number, tokens: number): Promise<MemoryPoint[]> {
    using model = await GPT2.load(folder, { threads });
    const points: MemoryPoint[] = [];
    const prompt = "To be, or not to be";
    const maxTokens = model.config.nPositions - model.tokenizer.encode(prompt).length - 1;
    for (let made = 0, seed = 1; made < tokens; seed++) {
      const { ids } = await model.generate(prompt, { maxTokens, temperature: 0.8, seed, stopAtEndOfText: false });
      made += ids.length;
      points.push(note(made));
    }
    return points;
  },

  /** Greedy decoding without a tokenizer, starting over whenever the context is full; recorded every 100 tokens. */
  async decode(folder: string, threads: number, tokens: number): Promise<MemoryPoint[]> {
    const model = await loadModel(await modelSource(folder), { device: createWasmBackend({ threads }) });
    const points: MemoryPoint[] = [];
    let context = new Context(model);
    let next = 1;
    for (let made = 1; made <= tokens; made++) {
      if (context.length === context.capacity) {
        context.dispose();
        context = new Context(model);
      }
      const logits = await context.append([next]);
      // Shifted by the count, so that greedy decoding does not repeat itself.
      next = (argMax(logits) + made) % logits.length;
      if (made % STEP === 0) points.push(note(made));
    }
    context.dispose();
    return points;
  },
});

function note(tokens: number): MemoryPoint {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { tokens, residentBytes: rss, heapBytes: heapUsed, externalBytes: external };
}

function argMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}
