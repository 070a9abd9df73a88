import { GPT2 } from "@gpt2-ts/gpt2";
import { contributions, logitLens, run, trace } from "@gpt2-ts/gpt2/look";

using model = await GPT2.load("weights/stories", { deterministic: true });
const { nLayer, nHead, vocabSize } = model.config;
const text = "He was afraid of Farmer Brown's";

// Attention: where does head 1 of block 0 look, from each token?
const { tokens, values } = await trace(model, text, { places: ["h.0.attn.pattern"] });
const T = tokens.length;
const pattern = values[0].data; // [H, T, T]
const head = 1;
console.log("head 1 of block 0 looks");
for (let t = 1; t < T; t++) {
  const row = [...pattern.subarray((head * T + t) * T, (head * T + t + 1) * T)];
  const most = row.indexOf(Math.max(...row));
  const [from, to] = [t, most].map((i) => JSON.stringify(tokens[i]).padEnd(9));
  console.log(`  from ${t} ${from} at ${most} ${to} ${row[most].toFixed(2)}`);
}

// Logit lens: what would each layer say comes after the last token?
const { layers } = await logitLens(model, text, { top: 3 });
console.log("\nnext token, read at");
for (const { place, top } of layers) {
  const last = top.at(-1) ?? [];
  console.log(`  ${place}`, last.map(({ token, probability }) => `${token} ${probability.toFixed(2)}`).join("  "));
}

// A head switched off: its values are 0, all else runs on. What does that do to the answer?
console.log("\nprobability of boy, without");
const boy = model.tokenizer.encode(" boy")[0];
const without = async (...ablate: string[]): Promise<string> => {
  using logits = run(model, text, { ablate });
  using probabilities = logits.softmax(-1); // [T, V]
  return (await probabilities.data()).at((T - 1) * vocabSize + boy)?.toFixed(3) ?? "";
};
console.log("  nothing", await without());
for (let layer = 0; layer < nLayer; layer++) {
  const cells = [await without(`h.${layer}.mlp.cProj`)];
  for (let h = 0; h < nHead; h++) cells.push(await without(`h.${layer}.attn.head.${h}`));
  const [mlp, ...heads] = cells;
  console.log(`  head 0 to 4 of block ${layer}: ${heads.join("  ")}   its MLP: ${mlp}`);
}

// Who voted for it? The parts of the logit of " boy", less that of " face".
const face = model.tokenizer.encode(" face")[0];
const { logit, parts } = await contributions(model, text, { target: boy, against: face });
console.log(`\nlogit of boy less that of face: ${logit.toFixed(2)}, most of it from`);
for (const part of parts.toSorted((a, b) => Math.abs(b.logit) - Math.abs(a.logit)).slice(0, 4)) {
  console.log(`  ${part.part.padEnd(16)} ${part.logit.toFixed(2)}`);
}
