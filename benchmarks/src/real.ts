/**
 * `npm run bench:real`: the real GPT-2 against what others published of it.
 *
 *     npm run bench:real -- [--model gpt2|FOLDER] [--quick] [--reference FILE]
 *
 * Takes a model folder, or a name on the Hugging Face Hub, which is downloaded unless it is in the cache (offline too). Compares the
 * ids of five prompts, their last logits and a greedy continuation with `reference/real-gpt2.json`, prints the perplexity on a
 * public-domain book, and what bf16 and int8 change there. The deterministic build is used, whose results are the same on every engine.
 *
 * Exit status: 0 if all is within the reference's tolerance, 1 if a figure is not, 2 if nothing could be compared (no such model,
 * no network, not GPT-2 small). Where all agrees, writes `results/<processor>/real-node<major>.json`, unless `--quick` or
 * another reference is
 * asked for.
 */
import { benchReal } from "./real/command.ts";

process.exitCode = await benchReal(process.argv.slice(2));
