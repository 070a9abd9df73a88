import { type Block, GPT2 } from "@gpt2-ts/gpt2";
import { trace } from "@gpt2-ts/gpt2/look";
import { attention, layerNorm, linear, type Tensor, tensor } from "@gpt2-ts/tensor";

const numbers = (x: Tensor): number[] => x.reshape([-1]).toListSync() as number[];
const fixed = (value: number): string => value.toFixed(3);
const shown = (x: Tensor): string => numbers(x).map(fixed).join("  ");

// Layer normalization: mean 0, variance 1. How long a vector was no longer matters.
const [gain, shift] = [tensor([1, 1, 1, 1]), tensor([0, 0, 0, 0])];
console.log("normalized   ", shown(layerNorm(tensor([[1, 2, 3, 6]]), gain, shift, 0)));
console.log("of 100 times ", shown(layerNorm(tensor([[100, 200, 300, 600]]), gain, shift, 0)));

// An MLP of two neurons computes "one of the two, and not both", which no linear layer can.
const x = tensor([0, 0, 0, 1, 1, 0, 1, 1]).reshape([4, 2]); // neither, the second, the first, both
const into = tensor([1, 1, 1, 1]).reshape([2, 2]);
const out = tensor([1, -2]).reshape([2, 1]);
const hidden = linear(x, into, tensor([0, -1]));
console.log("with relu    ", shown(hidden.relu().matmul(out)));
console.log("without      ", shown(hidden.matmul(out)));
console.log("gelu         ", shown(tensor([-3, -1, 0, 1, 3]).gelu()));

// GPT-2's block, from the same parts. Each half reads a normalized copy of x, and adds to x what it makes of it.
using model = await GPT2.load("weights/stories", { deterministic: true });
const { nLayer, nHead, nEmbd, layerNormEpsilon } = model.config;
const text = "He was afraid of Farmer Brown's";
const { tokens, values } = await trace(model, text, { places: ["x.*", "h.0.attn.pattern", "h.*.mlp.hidden"] });
const valueAt = (place: string): Float32Array => values.find(({ name }) => name === place)?.data ?? new Float32Array();
const T = tokens.length;
const normalize = (x: Tensor, ln: Block["ln1"]): Tensor => layerNorm(x, ln.weight, ln.bias, layerNormEpsilon);
const block = (x: Tensor, { ln1, attn, ln2, mlp }: Block): Tensor => {
  const [q, k, v] = linear(normalize(x, ln1), attn.cAttn.weight, attn.cAttn.bias).split([nEmbd, nEmbd, nEmbd], -1);
  const heads = (part: Tensor) => part.reshape([T, nHead, nEmbd / nHead]) as Tensor<[number, number, number]>;
  const y = attention(heads(q), heads(k), heads(v), { scale: 1 / Math.sqrt(nEmbd / nHead) }).reshape(x.shape);
  const attended = x.add(linear(y, attn.cProj.weight, attn.cProj.bias));
  const hidden = linear(normalize(attended, ln2), mlp.cFc.weight, mlp.cFc.bias).gelu(); // [T, 4 C]
  return attended.add(linear(hidden, mlp.cProj.weight, mlp.cProj.bias));
};
const stream = (n: number): Tensor => tensor([...valueAt(`x.${n}`)], { device: model.device }).reshape([T, nEmbd]);
let ours = stream(0);
for (const weights of model.model.weights.h) ours = block(ours, weights);
const [difference] = numbers(ours.sub(stream(nLayer)).abs().max());
console.log(`\nfive blocks of ours and the model's differ by ${difference.toFixed(5)} at most`);

// The last token: what does each head of block 0 take most of, and how many neurons fire? How large are the numbers of x?
const pattern = valueAt("h.0.attn.pattern"); // [H, T, T]
for (let h = 0; h < nHead; h++) {
  const row = [...pattern.subarray((h * T + T - 1) * T, (h + 1) * T * T).entries()].toSorted(([, p], [, q]) => q - p);
  const most = row.slice(0, 3).map(([t, p]) => `${p.toFixed(2)} of ${t} ${JSON.stringify(tokens[t])}`);
  console.log(`head ${h}: `, most.join("  "));
}
for (let layer = 0; layer < nLayer; layer++) {
  const neurons = valueAt(`h.${layer}.mlp.hidden`).slice(-4 * nEmbd);
  const firing = neurons.filter((value) => value > 0.5).length;
  const x = stream(layer + 1);
  const size = Math.sqrt(numbers(x.square().mean())[0]).toFixed(2);
  console.log(`block ${layer}: ${firing} of ${neurons.length} neurons above 0.5; numbers of x behind it: ±${size}`);
}
