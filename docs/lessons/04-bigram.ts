/** Lesson 4: the smallest language model, counted and then learned. */
import { draw } from "@gpt2-ts/gpt2";
import { crossEntropy, embedding, Generator, softmax, tensor, tidy, valueAndGrad, zeros } from "@gpt2-ts/tensor";

const words = "the cat saw the dog and the dog saw the cat run to the dog".split(" ");
const vocabulary = [...new Set(words)];
const ids = words.map((word) => vocabulary.indexOf(word));
const V = vocabulary.length;
const [before, after] = [ids.slice(0, -1), ids.slice(1)]; // pairs: 14 of them

// Counted: how often does each word follow each other one?
const counts = vocabulary.map(() => new Array<number>(V).fill(0));
for (const [i, id] of before.entries()) counts[id]![after[i]!]! += 1;
const counted = counts.map((row) => {
  const total = row.reduce((a, b) => a + b);
  return row.map((count) => count / total);
});
const the = vocabulary.indexOf("the");
const show = (row: readonly number[]) => row.map((p, id) => `${vocabulary[id]} ${p.toFixed(3)}`).join("  ");
console.log(`pairs: ${before.length}`);
console.log(`counts after "the":  ${vocabulary.map((word, id) => `${word} ${counts[the]![id]}`).join("  ")}`);
console.log(`shares after "the":  ${show(counted[the]!)}`);
const surprise = before.reduce((sum, id, i) => sum - Math.log(counted[id]![after[i]!]!), 0) / before.length;
console.log(`loss of the counted model: ${surprise.toFixed(4)}`);

// Learned: a table of scores, one row for each word, that begins with zeros.
let weights = { scores: zeros([V, V]) };
const inputs = tensor(before, { dtype: "int32" });
const targets = tensor(after, { dtype: "int32" });
const loss = () => crossEntropy(embedding(weights.scores, inputs), targets);

for (let step = 0; step <= 400; step++) {
  const { value, gradients } = valueAndGrad(weights, loss);
  if (step === 0) {
    console.log(`gradient of row "the", first step: ${show(gradients.scores.select(0, the).toListSync() as number[])}`);
  }
  if (step % 100 === 0) console.log(`step ${`${step}`.padStart(3)}  loss ${value.itemSync().toFixed(4)}`);
  weights = tidy(() => ({ scores: weights.scores.sub(gradients.scores.mul(5)) }));
}
const learned = softmax(weights.scores, -1).toListSync() as number[][];
console.log(`learned after "the": ${show(learned[the]!)}`);

// Written: draw a word, go to its row, draw again.
const generator = new Generator(2);
let id = the;
const text = ["the"];
while (text.length < 16) {
  id = draw({ ids: Int32Array.from(learned.keys()), probabilities: Float64Array.from(learned[id]!) }, generator);
  text.push(vocabulary[id]!);
}
console.log(text.join(" "));
