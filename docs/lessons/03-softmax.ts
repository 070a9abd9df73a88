/** Lesson 3: from scores to one token. */
import { draw, GPT2, nextToken } from "@gpt2-ts/gpt2";
import { Generator, softmax, tensor } from "@gpt2-ts/tensor";

const shown = (numbers: ArrayLike<number>) => Array.from(numbers, (number) => number.toFixed(3)).join("  ");

// Softmax by hand, and the library's.
const scores = [2, 1, 0];
const powers = scores.map((score) => Math.exp(score));
const sum = powers.reduce((a, b) => a + b);
console.log(`scores          ${shown(scores)}`);
console.log(`e^score         ${shown(powers)}  sum ${sum.toFixed(3)}`);
console.log(`divided         ${shown(powers.map((power) => power / sum))}`);
console.log(`softmax         ${shown(softmax(tensor(scores), 0).dataSync())}`);

// Temperature divides the scores first.
for (const temperature of [0.5, 1, 2, 10]) {
  const { probabilities } = nextToken(scores, { temperature });
  console.log(`${`temperature ${temperature}`.padEnd(16)}${shown(probabilities)}`);
}

// Drawing: a thousand throws of a three-sided die.
const generator = new Generator(1);
const drawn = [0, 0, 0];
for (let i = 0; i < 1000; i++) drawn[draw(nextToken(scores), generator)]! += 1;
console.log(`drawn of 1000: ${drawn.join(", ")}`);

// The same with a model: 2,048 scores instead of three.
using model = await GPT2.load("weights/stories", { deterministic: true });
const filters = { all: {}, "topK 5": { topK: 5 }, "topP 0.8": { topP: 0.8 } };
for (const prompt of ["Buster", "I saw the"]) {
  const logits = model.logits(prompt).select(0, -1).dataSync();
  console.log(`\n${JSON.stringify(prompt)}`);
  for (const [name, options] of Object.entries(filters)) {
    const { ids, probabilities } = nextToken(logits, options);
    const best = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]!).slice(0, 4);
    const likely = best.map((i) => {
      const [token] = model.tokenizer.tokens([ids[i]!]);
      return `${JSON.stringify(token)} ${probabilities[i]!.toFixed(3)}`;
    });
    console.log(`${name.padEnd(8)}  keeps ${`${ids.length}`.padStart(4)}: ${likely.join("  ")}`);
  }
}
