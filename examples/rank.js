// @ts-check
// Ranks sentences by how well each continues a text: for choosing among answers, corrections or transcriptions.
//
//     node examples/rank.js "She did not know" "what to say." "what the stock market did." "say to what."

import { GPT2 } from "@gpt2-ts/gpt2";

const [context, ...candidates] = process.argv.slice(2);
if (!context || candidates.length === 0) throw new Error("usage: node examples/rank.js CONTEXT SENTENCE…");
const model = await GPT2.load(new URL("../weights/stories/", import.meta.url));

// Tokens do not cross from the context into the sentence, so the sentence's own begin at the same place in all.
const before = model.tokenizer.encode(context);
const scores = await model.scoreAll(
  candidates.map((sentence) => [...before, ...model.tokenizer.encode(` ${sentence}`)]), // one packed pass for all
);

const ranked = candidates.map((sentence, i) => {
  // `logprobs` begins with the second token. A mean, or else the shortest sentence would win.
  const own = scores[i]?.logprobs.slice(before.length - 1) ?? [];
  return { sentence, nats: own.reduce((sum, logprob) => sum + logprob, 0) / own.length };
});
ranked.sort((a, b) => b.nats - a.nats);
for (const { sentence, nats } of ranked) console.log(`${nats.toFixed(3)} nats a token  ${sentence}`);
model.dispose();
