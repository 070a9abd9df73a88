import { readFileSync } from "node:fs";
import { GPT2 } from "@gpt2-ts/gpt2";
import { trace } from "@gpt2-ts/gpt2/look";

using model = await GPT2.load("weights/stories", { deterministic: true });
const { nLayer, nHead, nEmbd, nInner, vocabSize } = model.config;
console.log(`${nLayer} blocks, C = ${nEmbd}, H = ${nHead}, D = ${nEmbd / nHead}, F = ${nInner}, V = ${vocabSize}\n`);

// Where the parameters sit. lmHead is wte once more, and not counted twice.
const { wte, wpe, h, lnF } = model.model.weights;
const parts = {
  "token embeddings": [wte],
  "position embeddings": [wpe],
  attention: h.flatMap(({ attn }) => [...Object.values(attn.cAttn), ...Object.values(attn.cProj)]),
  MLP: h.flatMap(({ mlp }) => [...Object.values(mlp.cFc), ...Object.values(mlp.cProj)]),
  "layer normalizations": [...h.flatMap(({ ln1, ln2 }) => [ln1, ln2]), lnF].flatMap((ln) => Object.values(ln)),
};
const count = (tensors: { size: number }[]): number => tensors.reduce((sum, { size }) => sum + size, 0);
const total = count(Object.values(parts).flat());
for (const [part, tensors] of Object.entries(parts)) {
  const share = (100 * count(tensors)) / total;
  console.log(part.padEnd(22), String(count(tensors)).padStart(6), `${share.toFixed(1).padStart(5)} %`);
}
console.log("together".padEnd(22), total);

// Every tensor of a pass over four tokens: its name and shape, the last number of the last token, and the line that made it.
const source = readFileSync("packages/gpt2/src/model/model.ts", "utf8").split("\n");
const { tokens, values } = await trace(model, "I do not know");
console.log(`\n${JSON.stringify(tokens)}`);
for (const { name, axes, shape, data, lines } of values) {
  if (/^(h|x)\.[1-4]/.test(name) && name !== "x.1") continue; // of the blocks, the first
  const line = source[lines[0] - 1].replace(/^ *(const|using|let|return) |; *(\/\/.*)?$/g, "").trim();
  const last = data.at(-1)?.toFixed(3).padStart(7);
  console.log(
    name.padEnd(16),
    `${axes.join(" ")} = ${shape.join("·")}`.padEnd(16),
    last,
    ` ${line.length > 60 ? `${line.slice(0, 60)}…` : line}`,
  );
}

// The answer: softmax of the last token's logits.
using logits = model.logits("I do not know");
using probabilities = logits.softmax(-1); // [T, V]
const last = [...(await probabilities.data()).slice(-vocabSize).entries()];
for (const [id, p] of last.toSorted(([, p], [, q]) => q - p).slice(0, 3)) {
  console.log(JSON.stringify(model.tokenizer.decode([id])), p.toFixed(3));
}
