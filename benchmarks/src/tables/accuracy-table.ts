/** The table of `bench:logits`. */
import type { LogitsResult, PromptErrors } from "../accuracy/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import { provenance } from "./figures.ts";
import { table } from "./markdown.ts";

/**
 * Errors of the newest run, on the newest Node that it used (that has relaxed SIMD), and whether the deterministic bits agree
 * between all runs.
 */
export function accuracyTable(all: readonly ProcessorResults<LogitsResult>[]): string | undefined {
  const shown = newest(all).at(-1);
  if (shown === undefined) return undefined;
  const head = ["model", "backend", "tokens", "prefill max", "RMS", "decode max", "RMS", "log-prob. max", "hidden max"];
  const rows = shown.prompts.map((errors) => [
    errors.model,
    errors.backend,
    String(errors.tokens),
    ...[errors.prefill.max, errors.prefill.rms, errors.decode?.max, errors.decode?.rms, errors.logprobs.max].map(short),
    errors.hidden.length === 0 ? "" : short(Math.max(...errors.hidden.map(({ max }) => max))),
  ]);
  return [table(head, rows), bits(all), provenance(shown)].join("\n\n");
}

/** For the README: how far the logits of the largest checkpoint are from float64, and that their bits do not vary. */
export function exactness(all: readonly ProcessorResults<LogitsResult>[]): string | undefined {
  const shown = newest(all).at(-1);
  const prompts = shown?.prompts.filter(({ model }) => model === "synthetic-124m") ?? [];
  if (shown === undefined || prompts.length === 0) return undefined;
  const passes = prompts.flatMap(({ prefill, decode }) => (decode ? [prefill, decode] : [prefill]));
  const longest = Math.max(...prompts.map(({ tokens }) => tokens));
  const max = short(Math.max(...passes.map((errors) => errors.max)));
  const rms = short(Math.max(...passes.map((errors) => errors.rms)));
  const distance =
    `For GPT-2 small's shape no logit is farther than ${max} from float64 (RMS ${rms}), ` +
    `for prompts of up to ${longest.toLocaleString("en")} tokens, in one pass and token by token.`;
  return [`${distance} ${bits(all)}`, provenance(shown)].join("\n\n");
}

function bits(all: readonly ProcessorResults<LogitsResult>[]): string {
  const results = all.flatMap((one) => one.results);
  const broken = results.flatMap(({ identities }) => identities.filter(({ held }) => !held));
  const checks = results.reduce((sum, { identities }) => sum + identities.length, 0);
  const places = all.map(({ processor, results }) => {
    const versions = `Node ${results.map(({ conditions }) => conditions.node).join(", ")}`;
    return all.length === 1 ? versions : `${processor.title} (${versions})`;
  });
  const digests = results.map(({ prompts }) => deterministicDigests(prompts).join());
  const agree = digests.every((digest) => digest === digests[0]);
  return [
    `Bit-identical for 1, 2 and 3 threads, from run to run, and packed into one batch or alone: ${checks - broken.length} of ${checks} checks held.`,
    `Without relaxed SIMD every logit is ${agree ? "the same to the bit" : "**not the same**"} on ${places.join(" and on ")}.`,
  ].join(" ");
}

function deterministicDigests(prompts: readonly PromptErrors[]): string[] {
  const chosen = prompts.filter(({ backend }) => backend === "wasm, deterministic" || backend === "reference");
  return chosen.map(({ model, backend, prompt, digest }) => `${model} ${backend} ${prompt} ${digest}`).sort();
}

function short(value: number | undefined): string {
  return value?.toExponential(1) ?? "";
}
