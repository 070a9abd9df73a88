import { GPT2, type GPT2Config, initialModel, Tokenizer, trainBPE } from "@gpt2-ts/gpt2";
import { encodeDocuments, type TrainingProgress, train } from "@gpt2-ts/gpt2/train";
import { createWasmBackend } from "@gpt2-ts/tensor";

// The text: an old rhyme, in which each verse says all of the verse before, too.
const who = [
  "house that Jack built.\n",
  "malt",
  "rat",
  "cat",
  "dog",
  "cow with the crumpled horn",
  "maiden all forlorn",
];
who.push(
  "man all tattered and torn",
  "priest all shaven and shorn",
  "cock that crowed in the morn",
  "farmer sowing his corn",
);
const did = ["", "lay in", "ate", "killed", "worried", "tossed", "milked", "kissed", "married", "woke", "kept"];
const ending = (n: number): string => (n === 0 ? who[0] : `${who[n]}\nthat ${did[n]} the ${ending(n - 1)}`);
const verses = who.map((_, n) => `This is the ${ending(n)}`);

// One verse is never shown to the model: its loss tells whether it learned more than the verses that it saw.
const [hidden] = verses.splice(6, 1);

// A vocabulary of its own, and a model of random numbers.
const learned = await trainBPE(verses, { vocabSize: 340 });
const tokenizer = Tokenizer.fromVocab(learned.toFiles());
const sizes = { nLayer: 2, nHead: 4, nEmbd: 64, nInner: 256, nPositions: 64, vocabSize: tokenizer.vocabSize };
const scaling = { layerNormEpsilon: 1e-5, scaleAttnWeights: true, scaleAttnByInverseLayerIdx: false };
const tokens = { tieWordEmbeddings: true, bosTokenId: undefined, eosTokenIds: [] };
const config: GPT2Config = { ...sizes, ...scaling, ...tokens, activation: "gelu" };
const device = createWasmBackend({ deterministic: true });
using gpt2 = new GPT2(initialModel(config, { seed: 1, device }), tokenizer);

const sample = async (maxTokens: number): Promise<string> => {
  const { text } = await gpt2.generate("This is the maiden", { maxTokens, temperature: 0 });
  return JSON.stringify(text);
};
console.log(`ln ${tokenizer.vocabSize} = ${Math.log(tokenizer.vocabSize).toFixed(2)}`);
console.log("before:", await sample(8));

const [text, heldOut] = await Promise.all([verses, [hidden]].map((texts) => encodeDocuments(texts, tokenizer)));
console.log(`${text.ids.length} tokens to learn from, ${heldOut.ids.length} held out`);
const data = { train: text.ids, heldOut: heldOut.ids };
let loss: number | undefined;
const onProgress = (progress: TrainingProgress): void => {
  if (progress.type === "step") loss = progress.loss;
  else
    console.log(
      `step ${progress.step}: loss ${loss?.toFixed(3) ?? "  -  "}, of the hidden verse ${progress.heldOutLoss?.toFixed(3)}`,
    );
};
await train(gpt2.model, data, { steps: 150, batchTokens: 256, learningRate: 3e-3, evalEvery: 25, seed: 1, onProgress });
console.log("after:", await sample(46));
