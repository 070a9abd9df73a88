import { OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { GPT2Config } from "../model/config.ts";
import type { Sizes } from "../model/model.ts";
import { sizesOf } from "../model/weights.ts";
import { type LineKey, MODEL_LINES } from "./lines.table.ts";

/** A letter that a shape is spelled in, as at the top of model.ts; `3C` are the queries, keys and values side by side. */
export type Axis = "T" | "C" | "H" | "D" | "F" | "V" | "3C";

/** A place of the forward pass: one of the tensors that model.ts makes, by its name there. */
export interface Place {
  readonly name: string;
  /** The letters of its shape. */
  readonly axes: readonly Axis[];
  /** The line of model.ts that makes it, and then the lines that this one was called from, innermost first. */
  readonly lines: readonly number[];
  /** False where there is nothing to replace: scores and probabilities that the attention does not store. */
  readonly writable: boolean;
}

// ---- the places, in the order of a pass --------------------------------------------------------------------------------

type Entry = readonly [name: string, axes: readonly Axis[], lines: LineKey];

const TC: readonly Axis[] = ["T", "C"];
const THD: readonly Axis[] = ["T", "H", "D"];
const HTT: readonly Axis[] = ["H", "T", "T"];

const before: readonly Entry[] = [
  ["wte", TC, "wte"], // embeddings of the tokens
  ["wpe", TC, "wpe"], // and of their positions
  ["x.0", TC, "x.0"], // the residual stream that the first block reads
];

/** Of one block; `head` stands for as many as there are. */
const block: readonly Entry[] = [
  ["ln1", TC, "ln1"],
  ["attn.cAttn", ["T", "3C"], "attn.cAttn"],
  ["attn.query", THD, "attn.query"],
  ["attn.key", THD, "attn.key"],
  ["attn.value", THD, "attn.value"],
  ["attn.scores", HTT, "attn.y"], // scale · q · k, -Infinity for what comes later
  ["attn.pattern", HTT, "attn.y"], // their softmax: an attention map
  ["attn.y", THD, "attn.y"], // what the heads gather
  ["attn.head", ["T", "D"], "attn.y"], // the same, of one head
  ["attn.cProj", TC, "attn.cProj"],
  ["attended", TC, "attended"], // the residual stream between attention and MLP
  ["ln2", TC, "ln2"],
  ["mlp.hidden", ["T", "F"], "mlp.hidden"],
  ["mlp.cProj", TC, "mlp.cProj"],
];

const after: readonly Entry[] = [
  ["lnF", TC, "lnF"],
  ["logits", ["T", "V"], "logits"],
];

const known = new WeakMap<GPT2Config, ReadonlyMap<string, Place>>();

/** All places of a model, by name, in the order of a pass. */
export function placesOf(config: GPT2Config): ReadonlyMap<string, Place> {
  let places = known.get(config);
  if (places === undefined) {
    places = new Map(walk(config).map((place) => [place.name, place]));
    known.set(config, places);
  }
  return places;
}

function walk({ nLayer, nHead }: GPT2Config): Place[] {
  const places: Place[] = [];
  const add = (name: string, [own, axes, lines]: Entry): void => {
    const writable = own !== "attn.scores" && own !== "attn.pattern";
    places.push({ name, axes, lines: MODEL_LINES[lines], writable });
  };
  for (const entry of before) add(entry[0], entry);
  for (let layer = 0; layer < nLayer; layer++) {
    for (const entry of block) {
      const name = `h.${layer}.${entry[0]}`;
      if (entry[0] !== "attn.head") add(name, entry);
      else for (let head = 0; head < nHead; head++) add(`${name}.${head}`, entry);
    }
    add(`x.${layer + 1}`, ["x", TC, "x"]); // what the block leaves
  }
  for (const entry of after) add(entry[0], entry);
  return places;
}

/**
 * The places that a name stands for; `*` in the place of a number stands for all of them.
 *
 * @param option the option that the name was given in, for the error
 * @throws OptionError with the names that there are
 */
export function findPlaces(option: string, config: GPT2Config, name: string): Place[] {
  const places = placesOf(config);
  const exact = places.get(name);
  if (exact) return [exact];
  const wanted = String(name).split(".");
  const found = wanted.includes("*") ? [...places.values()].filter((place) => matches(wanted, place.name)) : [];
  if (found.length > 0) return found;
  throw new OptionError(option, `there is no place ${showValue(name)} in this model; there are ${allNames(config)}`);
}

function matches(wanted: readonly string[], name: string): boolean {
  const parts = name.split(".");
  return (
    parts.length === wanted.length &&
    parts.every((part, i) => part === wanted[i] || (wanted[i] === "*" && /^\d+$/.test(part)))
  );
}

function allNames({ nLayer, nHead }: GPT2Config): string {
  const to = (prefix: string, count: number): string =>
    count === 1 ? `${prefix}.0` : `${prefix}.0 to ${prefix}.${count - 1}`;
  const inBlocks = block.map(([name]) => (name === "attn.head" ? to(name, nHead) : name));
  const blocks = nLayer === 0 ? "" : `${to("h", nLayer)} followed by .${inBlocks.join(", .")}; `;
  return `wte, wpe, ${to("x", nLayer + 1)}, ${blocks}lnF, logits`;
}

/** How many columns lie in front of a part of the tensor that it is stored in, and how many it has. */
export interface Columns {
  /** The place whose tensor it is a part of. */
  readonly of: string;
  readonly first: number;
  readonly count: number;
}

/** Of a place that is part of another one's tensor; undefined for one that is a tensor of its own. */
export function columnsOf(config: GPT2Config, name: string): Columns | undefined {
  const { C, D }: Sizes = sizesOf(config);
  const [, prefix, part, head] = /^(h\.\d+\.attn\.)(query|key|value|head)(?:\.(\d+))?$/.exec(name) ?? [];
  if (part === undefined) return undefined;
  if (part === "head") return { of: `${prefix}y`, first: Number(head) * D, count: D };
  return { of: `${prefix}cAttn`, first: ["query", "key", "value"].indexOf(part) * C, count: C };
}
