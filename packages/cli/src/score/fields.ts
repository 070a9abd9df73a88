import { OptionError, type Score } from "@gpt2-ts/gpt2";

/** What can be written of a score: its own members, and the line's text. */
export type Field = keyof Score | "text";

/** What is written unless `--fields` says otherwise. */
const USUAL: readonly Field[] = ["ids", "tokens", "logprobs", "logLikelihood", "perplexity", "bitsPerByte"];
/** What is written besides with `--top`. */
const WITH_TOP: Field = "alternatives";
const ALL: readonly Field[] = [...USUAL, WITH_TOP, "text"];

/**
 * The fields to write, in order.
 *
 * @param list names separated by commas; undefined for the usual ones
 * @param top whether the likeliest tokens are asked for
 * @throws OptionError
 */
export function fieldsFrom(list: string | undefined, top: boolean): readonly Field[] {
  if (list === undefined) return top ? [...USUAL, WITH_TOP] : USUAL;
  const names = list.split(",").map((name) => name.trim());
  for (const [i, name] of names.entries()) {
    if (!isField(name))
      throw new OptionError("fields", `expected some of ${ALL.join(",")}; got ${JSON.stringify(name)}`);
    if (names.indexOf(name) < i) throw new OptionError("fields", `${name} is there twice`);
  }
  if (names.includes(WITH_TOP) && !top) throw new OptionError("fields", `${WITH_TOP} needs --top`);
  if (top && !names.includes(WITH_TOP))
    throw new OptionError("top", `--fields leaves out what it asks for, ${WITH_TOP}`);
  return names as Field[];
}

function isField(name: string): name is Field {
  return (ALL as readonly string[]).includes(name);
}
