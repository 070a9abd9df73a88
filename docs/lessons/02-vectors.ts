import { GPT2 } from "@gpt2-ts/gpt2";
import { tensor, topK } from "@gpt2-ts/tensor";

// A dot product: multiply number by number, then add. It is large where two vectors point the same way.
const a = [3, 1];
const b = [2, 2];
const c = [-1, 3];
console.log(`a·b = ${dot(a, b)}, a·c = ${dot(a, c)}, b·c = ${dot(b, c)}`);

// A product of matrices is many dot products: each row of the left one with each column of the right one.
const x = tensor([a, b, c]); // [3, 2]: three vectors of two numbers
print("every vector with every vector", x.matmul(x.transpose()));

// A linear layer: a product with a matrix of weights, plus a bias. One bias serves all three rows: it is broadcast.
const weight = tensor([
  [1, 0, 2, 1],
  [0, 1, -1, 1],
]); // [2, 4]: two numbers in, four out
const bias = tensor([10, 20, 30, 40]); // [4]
print("x W + bias", x.matmul(weight).add(bias));

// In GPT-2 each token has a vector, learned in training: its row of the table wte, which is [V, C].
using model = await GPT2.load("weights/stories", { deterministic: true });
const { wte } = model.model.weights;
console.log(`wte is [${wte.shape}]`);

// Vectors divided by their lengths: their dot products are cosines, 1 for the same direction, 0 for directions with nothing in common.
const length = wte.square().sum(-1, true).sqrt(); // [V, 1]
const directions = wte.div(length);
for (const word of [" mother", " red", " three", " will", " said"]) {
  const [id = 0] = model.tokenizer.encode(word);
  const cosines = directions.matmul(directions.at(id)); // [V]
  const { values, indices } = topK(cosines, 5);
  const names = Array.from(indices.dataSync(), (near) => JSON.stringify(model.tokenizer.decode([near])));
  console.log(names.map((name, i) => `${name} ${values.at(i).itemSync().toFixed(2)}`).join(", "));
}

function dot(left: number[], right: number[]): number {
  let sum = 0;
  for (let i = 0; i < left.length; i++) sum += left[i] * right[i];
  return sum;
}

function print(title: string, matrix: { toListSync(): unknown }): void {
  console.log(`${title}: ${JSON.stringify(matrix.toListSync())}`);
}
