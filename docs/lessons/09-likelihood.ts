import { GPT2 } from "@gpt2-ts/gpt2";

using model = await GPT2.load("weights/stories", { deterministic: true });

// How sure was the model of each token, before it saw it?
const { tokens, logprobs } = await model.score("Colonel Brandon, Colonel Brandon!");
console.log(`given: ${JSON.stringify(tokens[0])}`);
let product = 1;
for (const [i, logprob] of logprobs.entries()) {
  const p = Math.exp(logprob);
  product *= p;
  const bits = -logprob / Math.LN2;
  console.log(
    `${JSON.stringify(tokens[i + 1]).padEnd(10)} p = ${p.toFixed(4)}   surprise ${bits.toFixed(2).padStart(5)} bits`,
  );
}

// The whole text: probabilities multiply, their logarithms add up.
const sum = logprobs.reduce((total, logprob) => total + logprob, 0);
console.log(`product ${product.toExponential(2)} = e to the power of ${sum.toFixed(2)}`);
console.log(`mean ${(sum / logprobs.length).toFixed(2)}, perplexity ${Math.exp(-sum / logprobs.length).toFixed(2)}`);

// The same words in another order, other words, other letters.
console.log("\nlog-likelihood  perplexity  bits a byte");
const texts = [
  "She could not help smiling at him.",
  "Smiling him could she help not at.",
  "She could not hlep smiling at him.",
  "The committee will publish its annual report.",
];
for (const text of texts) {
  const score = await model.score(text);
  const cells = [score.logLikelihood.toFixed(2).padStart(14), score.perplexity.toFixed(1).padStart(10)];
  console.log(cells.join("  "), score.bitsPerByte.toFixed(2).padStart(12), "", text);
}

// What it is good for: which of these endings is the likelier one?
console.log();
const beginning = "My dear sir, I do not ";
const given = model.tokenizer.encode(beginning.trimEnd()).length - 1; // log-probabilities of the beginning itself
for (const ending of ["know him.", "knows him.", "him know."]) {
  const score = await model.score(beginning + ending);
  const ofEnding = score.logprobs.slice(given).reduce((total, logprob) => total + logprob, 0);
  console.log(`${ofEnding.toFixed(2).padStart(7)}  ${beginning}${ending}`);
}
