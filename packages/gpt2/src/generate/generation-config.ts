import { showName, showValue } from "@gpt2-ts/tensor/options";
import { ModelFormatError } from "../errors.ts";
import type { WarningListener } from "../warning.ts";
import type { GenerationDefaults } from "./defaults.ts";
import { checkSamplingOptions } from "./sampling.ts";

/** `transformers` draws from so many tokens unless it is told otherwise. */
const DEFAULT_TOP_K = 50;

/** Settings that are read, and those that change nothing here: caches, what is returned, how a beam search ranks, speculation. */
const known = new Set(
  (
    "bos_token_id eos_token_id pad_token_id do_sample temperature top_k top_p min_p repetition_penalty " +
    "no_repeat_ngram_size max_new_tokens max_length stop_strings transformers_version decoder_start_token_id " +
    "use_cache cache_implementation cache_config max_cache_len output_attentions output_hidden_states " +
    "output_scores output_logits return_dict_in_generate early_stopping length_penalty low_memory " +
    "renormalize_logits compile_config disable_compile prefill_chunk_size is_assistant num_assistant_tokens " +
    "num_assistant_tokens_schedule assistant_confidence_threshold assistant_early_exit assistant_lookbehind " +
    "assistant_ensemble_weight target_lookbehind prompt_lookup_num_tokens max_matching_ngram_size " +
    "speculation_type use_mtp continuous_batching_config"
  ).split(" "),
);
/** Settings that do nothing at 1. Others do nothing at 0, false and the like. */
const idleAtOne = ["num_beams", "num_beam_groups", "num_return_sequences", "typical_p", "guidance_scale"];

/**
 * What the fields of `generation_config.json` mean here. As in `transformers`, a file that does not say `do_sample` asks for the
 * likeliest token each time, and one that does draws from 50 tokens unless it has a `top_k`.
 *
 * @param onWarning is told of the settings that would change the output and are not implemented
 * @throws ModelFormatError for a value that a setting cannot have
 */
export function generationDefaults(
  { file, fields }: { readonly file: string; readonly fields: Readonly<Record<string, unknown>> },
  onWarning: WarningListener,
): GenerationDefaults {
  const others = Object.keys(fields).filter((name) => !known.has(name) && !name.startsWith("_") && !isIdle(name));
  if (others.length > 0) {
    const list = others.slice(0, 4).map((name) => `${showName(name)} ${showValue(fields[name])}`);
    onWarning(`${file}: asks for ${list.join(", ")}${others.length > 4 ? ", …" : ""}; there is no such option here`);
  }
  const number = (name: string, least: number): number | undefined => {
    const value = fields[name] ?? undefined;
    if (value === undefined || (Number.isFinite(value) && (value as number) >= least)) return value as number;
    throw new ModelFormatError(file, `${name} is ${showValue(value)}; expected a number from ${least}`, name);
  };
  const stop: unknown = fields["stop_strings"] ?? undefined;
  if (stop !== undefined && [stop].flat().some((text) => typeof text !== "string" || text === "")) {
    throw new ModelFormatError(file, `stop_strings is ${showValue(stop)}; expected texts`, "stop_strings");
  }
  const doSample = fields["do_sample"] ?? false;
  if (typeof doSample !== "boolean") {
    throw new ModelFormatError(file, `do_sample is ${showValue(doSample)}; expected true or false`, "do_sample");
  }
  const drawn = {
    temperature: number("temperature", 0),
    topK: (number("top_k", 0) ?? DEFAULT_TOP_K) || undefined, // 0 is none
    topP: number("top_p", 0),
    minP: number("min_p", 0),
  };
  const sampling = {
    repetitionPenalty: number("repetition_penalty", 0),
    noRepeatNgramSize: number("no_repeat_ngram_size", 0) || undefined,
    ...(doSample ? drawn : { temperature: 0 }),
  };
  try {
    checkSamplingOptions(sampling);
  } catch (cause) {
    throw new ModelFormatError(file, (cause as Error).message, undefined, { cause });
  }
  const maxTokens = length("max_new_tokens");
  return {
    ...sampling,
    maxTokens,
    maxLength: maxTokens === undefined ? length("max_length") : undefined,
    stop: stop as string | readonly string[] | undefined,
  };

  function length(name: string): number | undefined {
    const value = fields[name] ?? undefined;
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 1)) return value as number;
    throw new ModelFormatError(file, `${name} is ${showValue(value)}; expected an integer from 1`, name);
  }

  function isIdle(name: string): boolean {
    const value = fields[name];
    const isEmpty = typeof value === "object" && (value === null || Object.keys(value).length === 0);
    return isEmpty || value === 0 || value === false || (value === 1 && idleAtOne.includes(name));
  }
}
