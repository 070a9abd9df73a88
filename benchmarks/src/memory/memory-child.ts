/** The process whose memory is watched: loads a model and generates, recording its resident memory. */
import { Context, GPT2, loadModel, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { serve } from "../harness/child.ts";
import { peakResidentBytes } from "../harness/machine.ts";
import type { MemoryPoint, ProcessMemory } from "./result.ts";

type Step = "imported" | "loaded" | "tensors" | "firstToken";

const PROMPT = Array.from({ length: 16 }, (_, i) => 37 * i);
/** Tokens between two notes of a decode without text. */
const STEP = 100;

serve({
  /** Loads a model folder and makes one token: the largest resident set until each step. */
  async firstToken(folder: string, threads: number): Promise<Pick<ProcessMemory, Step>> {
    const imported = peakResidentBytes();
    const device = createWasmBackend({ threads });
    const model = await loadModel(await modelSource(folder), { device });
    const loaded = peakResidentBytes();
    const tensors = device.info().usedBytes;
    const context = new Context(model);
    await context.append(PROMPT);
    return { imported, loaded, tensors, firstToken: peakResidentBytes() };
  },

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
