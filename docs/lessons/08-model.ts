import { readFileSync } from "node:fs";
import { GPT2 } from "@gpt2-ts/gpt2";
import { trace } from "@gpt2-ts/gpt2/look";

using model = await GPT2.load("weights/shakespeare", { deterministic: true });
const { nLayer, nHead, nEmbd, nInner, nPositions, vocabSize } = model.config;
console.log(`${nLayer} blocks, C = ${nEmbd}, H = ${nHead}, D = ${nEmbd / nHead}, F = ${nInner}, V = ${vocabSize}\n`);

// Every tensor of a pass over five tokens, in order, with the line of model.ts that makes it. Of the blocks, the first.
const source = readFileSync("packages/gpt2/src/model/model.ts", "utf8").split("\n");
const { tokens, values } = await trace(model, "To be, or not");
console.log(tokens);
for (const { name, axes, shape, data, lines } of values) {
  if (/^(h|x)\.[1-3]/.test(name) && name !== "x.1") continue;
  const last = [...data.slice(-2)].map((value) => value.toFixed(2)).join(" ");
  console.log(`${name.padEnd(17)} ${`${axes.join(" ")} = ${shape.join(" × ")}`.padEnd(19)} … ${last.padEnd(12)}`, lines[0]);
}
