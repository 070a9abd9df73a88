// @ts-check
// Continues a text, piece by piece as it comes.
//
//     node examples/generate.js "Once upon a time"

import { GPT2 } from "@gpt2-ts/gpt2";

const prompt = process.argv[2] ?? "Once upon a time";
const model = await GPT2.load(new URL("../weights/stories/", import.meta.url));

process.stdout.write(prompt);
for await (const piece of model.stream(prompt, { maxTokens: 60, temperature: 0.8, topK: 40, seed: 1 })) {
  process.stdout.write(piece);
}
process.stdout.write("\n");
model.dispose();
