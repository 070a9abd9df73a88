import { readFileSync } from "node:fs";
import { Tokenizer, trainBPE } from "@gpt2-ts/gpt2";

// A vocabulary learned from one sentence: the 256 bytes, and at most ten merges.
const sentence = "she sells sea shells";
const learned = await trainBPE(sentence, {
  vocabSize: 256 + 10,
  specialTokens: [],
  onProgress: ({ merges, token, count }) =>
    console.log(`merge ${merges}: ${token.replace("Ġ", "␣")}, seen ${count} times`),
});
const small = Tokenizer.fromVocab(learned.toFiles());
show(small, sentence);
show(small, "shell");
show(small, "é"); // two bytes in UTF-8

// The stories model's vocabulary was learned from novels and stories: 256 bytes, 1,791 merges, and <|endoftext|>.
const folder = "weights/stories";
const shipped = Tokenizer.fromVocab({
  vocab: readFileSync(`${folder}/vocab.json`, "utf8"),
  merges: readFileSync(`${folder}/merges.txt`, "utf8"),
});
console.log(`\n${shipped.vocabSize} tokens`);
show(shipped, "The man looked at the door");
show(shipped, "the man");
show(shipped, sentence);

// Nothing is lost on the way: ids become the same text again.
console.log(shipped.decode(shipped.encode("Zoë sings ♫")));

function show(tokenizer: Tokenizer, text: string): void {
  const ids = tokenizer.encode(text);
  const tokens = tokenizer.tokens(ids).map((token) => token.replaceAll(" ", "␣"));
  console.log(`${text} → ${tokens.join("|")} → ${ids.join(" ")}`);
}
