/** Lesson 6: attention by hand, for four tokens and vectors of two numbers. */
import { attention, attentionWeights, Generator, tensor } from "@gpt2-ts/tensor";

const tokens = [
  { token: "Anna", query: [1, 0], key: [2, 0], value: [10, 0] },
  { token: " sings", query: [2, 0], key: [0, 2], value: [0, 10] },
  { token: ",", query: [0, 0], key: [0, 0], value: [1, 1] },
  { token: " she", query: [3, 0], key: [1, 0], value: [4, 0] },
];
const D = 2;
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const shown = (numbers: readonly number[]) => numbers.map((x) => x.toFixed(3).padStart(7)).join(" ");
const softmax = (scores: readonly number[]) => {
  const powers = scores.map((score) => Math.exp(score));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
};

// Each token looks at itself and at those before it.
const byHand = tokens.map(({ token, query }, t) => {
  const seen = tokens.slice(0, t + 1);
  const scores = seen.map(({ key }) => dot(query, key) / Math.sqrt(D));
  const weights = softmax(scores);
  const takes = [0, 1].map((d) => seen.reduce((sum, { value }, j) => sum + weights[j]! * value[d]!, 0));
  console.log(JSON.stringify(token));
  console.log(`  scores  ${shown(scores)}`);
  console.log(`  weights ${shown(weights)}`);
  console.log(`  takes   ${shown(takes)}`);
  return takes;
});

// The library's, which has one more axis for heads: [T, H, D] with H = 1.
const vectors = (name: "query" | "key" | "value") => tensor(tokens.map((token) => token[name])).reshape([4, 1, D]);
const [query, key] = [vectors("query"), vectors("key")];
const y = attention(query, key, vectors("value"), { scale: 1 / Math.sqrt(D) }).reshape([4, D]);
console.log(`attention() differs by at most ${y.sub(tensor(byHand)).abs().max().itemSync().toFixed(4)}`);
const [weights] = attentionWeights(query, key, { scale: 1 / Math.sqrt(D) }).toListSync() as number[][][];
console.log("attentionWeights(), a row for each token that looks:");
for (const row of weights!) console.log(`  ${shown(row)}`);

// Why √D: a query meets eight keys, all of random numbers of variance 1. Averages of 1,000 such meetings.
const generator = new Generator(1);
const random = (length: number) => Array.from({ length }, () => generator.normal());
console.log("    D  variance of scores  largest weight  with scores / √D");
for (const D of [2, 16, 64, 256]) {
  const sums = [0, 0, 0];
  for (let trial = 0; trial < 1000; trial++) {
    const q = random(D);
    const scores = Array.from({ length: 8 }, () => dot(q, random(D)));
    sums[0]! += dot(scores, scores) / 8;
    sums[1]! += Math.max(...softmax(scores));
    sums[2]! += Math.max(...softmax(scores.map((score) => score / Math.sqrt(D))));
  }
  const [variance, largest, divided] = sums.map((sum) => (sum / 1000).toFixed(2));
  console.log(`${`${D}`.padStart(5)}  ${variance!.padStart(18)}  ${largest!.padStart(14)}  ${divided!.padStart(16)}`);
}
