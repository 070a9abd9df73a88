// Prints each operation of a pass of GPT-2: its operands' shapes, its result's, and its time. `observe` shows them as they run;
// which weight an operation reads says where in the model it stands.
//
//     node examples/observe.js [MODEL] [TEXT]
import { GPT2, weightsByStorage } from "@gpt2-ts/gpt2";
import { observe } from "@gpt2-ts/tensor";

const [folder = "weights/stories", text = "Once upon a time"] = process.argv.slice(2);
const model = await GPT2.load(folder);
const weightOf = weightsByStorage(model.model);
/** @param {import("@gpt2-ts/tensor").View} view */
const show = ({ shape }) => `[${shape.join(", ")}]`;

const logits = observe(
  {
    after({ op, inputs }, outputs, milliseconds = 0) {
      const weight = inputs.map(({ storage }) => weightOf(storage)?.name).find((name) => name !== undefined);
      const operands = inputs.map(show).join(" ");
      console.log(
        `${milliseconds.toFixed(3).padStart(8)} ms  ${op.name.padEnd(10)} ${operands} -> ${outputs.map(show).join(" ")}`,
        weight ?? "",
      );
    },
  },
  () => model.logits(text),
);
console.log(`logits ${show(logits)}`);
logits.dispose();
model.dispose();
