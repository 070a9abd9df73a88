// @ts-check
// Scores the lines of a JSON Lines file: which texts does the model expect, which surprise it?
//
//     node examples/score-jsonl.js texts.jsonl > scored.jsonl
//
// Each line in is an object with a "text"; each line out is the same object with its log-likelihood, in nats, and perplexity.

import { open } from "node:fs/promises";
import { GPT2 } from "@gpt2-ts/gpt2";

/** Texts that are scored at once: they are packed into few passes over the weights, without padding. */
const AT_ONCE = 200;

const path = process.argv[2];
if (path === undefined) throw new Error("usage: node examples/score-jsonl.js FILE");
const model = await GPT2.load(new URL("../weights/stories/", import.meta.url));

/** @type {{ text: string }[]} */
let waiting = [];
let nats = 0;
let tokens = 0;
const file = await open(path);
for await (const line of file.readLines()) {
  waiting.push(JSON.parse(line));
  if (waiting.length === AT_ONCE) await flush();
}
await flush();
console.error(`perplexity over all: ${Math.exp(nats / tokens).toFixed(3)}`);
model.dispose();

async function flush() {
  // With a stride texts may be longer than the context of 256: each further token is scored behind at least 128 others.
  const scores = await model.scoreAll(
    waiting.map(({ text }) => text),
    { stride: 128 },
  );
  for (const [i, { logLikelihood, logprobs, perplexity }] of scores.entries()) {
    console.log(JSON.stringify({ ...waiting[i], logLikelihood, perplexity }));
    nats -= logLikelihood;
    tokens += logprobs.length; // the first token of a text is given
  }
  waiting = [];
}
