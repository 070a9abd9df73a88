import {
  attentionWeights,
  concat,
  fromData,
  type OpCall,
  type OpListener,
  ShapeMismatchError,
  Tensor,
  type Vectors,
  type View,
  zerosLike,
} from "@gpt2-ts/tensor";
import { OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { C, D, F, H, Model, T, V } from "../model/model.ts";
import { columnsOf, findPlaces, type Place } from "./places.ts";
import { Where } from "./where.ts";

/**
 * Reads the value at a place; what it returns, if anything, takes its place. Tensors that it makes are freed when it returns, except
 * for the result and what `keep` takes out: `keep(new Tensor(value))` keeps the value.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that only looks returns nothing
export type Hook<Shape extends readonly number[]> = (value: Tensor<Shape>, place: Place) => Tensor<Shape> | void;

type Index = number | "*";

/** Hooks by the names of their places; `*` in the place of a number stands for all of them. They run in this order. */
export type Hooks = {
  readonly [P in
    | "wte"
    | "wpe"
    | `x.${Index}`
    | `h.${Index}.${"ln1" | "attn.cProj" | "attended" | "ln2" | "mlp.cProj"}`
    | "lnF"]?: Hook<[T, C]>;
} & { readonly [P in `h.${Index}.attn.cAttn`]?: Hook<[T, number]> } & {
  readonly [P in `h.${Index}.attn.${"query" | "key" | "value" | "y"}`]?: Hook<[T, H, D]>;
} & { readonly [P in `h.${Index}.attn.head.${Index}`]?: Hook<[T, D]> } & {
  readonly [P in `h.${Index}.attn.${"scores" | "pattern"}`]?: (value: Tensor<[H, T, number]>, place: Place) => void;
} & { readonly [P in `h.${Index}.mlp.hidden`]?: Hook<[T, F]> } & { readonly logits?: Hook<[number, V]> };

/**
 * A hook at a place whose name is put together at run time, which the compiler would take for any name:
 * `` { ...hookAt(`x.${layer}`, (x) => x.mul(2)), ...others } ``.
 */
export function hookAt<Name extends keyof Hooks>(name: Name, hook: NonNullable<Hooks[Name]>): Hooks {
  return { [name]: hook } as Hooks;
}

/** How a pass is changed. */
export interface Changes {
  /** Places that are switched off: their values become 0. `*` in the place of a number stands for all of them. */
  readonly ablate?: readonly string[] | undefined;
  /** Functions that read or replace values; they see what `ablate` left. */
  readonly hooks?: Hooks | undefined;
}

/** A hook at one place. */
export interface PlacedHook {
  readonly place: Place;
  readonly hook: Hook<never>;
}

/** The hooks of some changes. Throws OptionError for names that the model does not have. */
export function hooksOf({ config }: Model, { ablate = [], hooks = {} }: Changes): PlacedHook[] {
  if (!Array.isArray(ablate)) throw new OptionError("ablate", `expected names of places, got ${showValue(ablate)}`);
  if (typeof hooks !== "object" || hooks === null) {
    throw new OptionError("hooks", `expected functions by the names of their places, got ${showValue(hooks)}`);
  }
  const off: PlacedHook[] = (ablate as readonly string[]).flatMap((name) =>
    findPlaces("ablate", config, name).map((place) => {
      if (!place.writable) throw new OptionError("ablate", `${place.name} can be read, not changed`);
      return { place, hook: zerosLike };
    }),
  );
  const own = Object.entries(hooks).flatMap(([name, hook]: [string, unknown]) => {
    if (typeof hook !== "function")
      throw new OptionError("hooks", `${name}: expected a function, got ${showValue(hook)}`);
    return findPlaces("hooks", config, name).map((place) => ({ place, hook: hook as Hook<never> }));
  });
  return [...off, ...own];
}

/** Runs hooks where their places come by. */
export function hookListener(model: Model, hooks: readonly PlacedHook[]): OpListener {
  const where = new Where(model);
  const byTensor = new Map<string, PlacedHook[]>();
  for (const each of hooks) {
    const { name } = each.place;
    const tensor = columnsOf(model.config, name)?.of ?? name.replace(/\.(scores|pattern)$/, ".y");
    byTensor.set(tensor, [...(byTensor.get(tensor) ?? []), each]);
  }
  return {
    before({ op, inputs }) {
      if (op.name !== "targetLogProbs" || !byTensor.has("logits")) return;
      if (inputs[1]!.storage !== model.weights.lmHead.storage) return;
      throw new OptionError("hooks", "scoring makes no logits, so that nothing can be read or changed at logits");
    },
    after(call, [output]) {
      const name = where.find(call);
      if (name === undefined) return undefined;
      let value = new Tensor<readonly number[]>(output as View<"float32">);
      let replaced = false;
      for (const { place, hook } of byTensor.get(name) ?? []) {
        const changed = run(model, call, value, place, hook);
        if (changed === undefined) continue;
        value = changed;
        replaced = true;
      }
      where.made(name, value.storage);
      return replaced ? [value] : undefined;
    },
  };
}

/** What a hook makes of the value of a whole tensor; undefined if it only looked. */
function run(
  model: Model,
  call: OpCall,
  whole: Tensor<readonly number[]>,
  place: Place,
  hook: Hook<never>,
): Tensor<readonly number[]> | undefined {
  const part = partOf(model, call, whole, place);
  const result: unknown = (hook as unknown as (value: Tensor<readonly number[]>, place: Place) => unknown)(part, place);
  if (result === undefined) return undefined;
  if (!place.writable) throw new OptionError("hooks", `${place.name} can be read, not changed: return nothing`);
  const given = expectLike(part, result, place);
  const columns = columnsOf(model.config, place.name);
  if (columns === undefined) return given.contiguous();
  const rows = part.shape[0]!;
  const { first, count } = columns;
  const flat = whole.reshape([rows, whole.size / rows]);
  const pieces = [flat.slice(1, 0, first), given.reshape([rows, count]), flat.slice(1, first + count, flat.shape[1])];
  return concat(
    pieces.filter(({ size }) => size > 0),
    1,
  ).reshape(whole.shape);
}

/** The value at a place, of the tensor that the place's operation has made. */
function partOf(
  { config, sizes: { H, D } }: Model,
  call: OpCall,
  whole: Tensor<readonly number[]>,
  { name, axes }: Place,
): Tensor<readonly number[]> {
  if (name.endsWith(".scores")) return scores(call);
  if (name.endsWith(".pattern")) return pattern(call);
  const columns = columnsOf(config, name);
  if (columns === undefined) return whole;
  const rows = whole.shape[0]!;
  const part = whole.reshape([rows, whole.size / rows]).slice(1, columns.first, columns.first + columns.count);
  return axes.length === 3 ? part.reshape([rows, H, D]) : part;
}

/** The probabilities inside an attention, `[H, T, T]`. */
function pattern(call: OpCall): Tensor<[number, number, number]> {
  const { query, key, past, scale } = operands(call);
  return attentionWeights(query, key, { scale, ...(past && { past: { key: past, value: past } }) });
}

/** What {@link pattern} is the softmax of: scaled products, and -Infinity for what a token does not see. */
function scores(call: OpCall): Tensor<[number, number, number]> {
  const { query, key, past, scale } = operands(call);
  if (key.dtype !== "float32") {
    throw new OptionError("hooks", 'scores are computed of float32 keys; this model has another cacheDtype than "f32"');
  }
  const keys = (
    past ? concat([past as Tensor<readonly number[]>, key as Tensor<readonly number[]>], 0) : key
  ) as typeof query;
  const [rows, heads] = query.shape;
  const columns = keys.shape[0];
  const products = query
    .permute([1, 0, 2])
    .matmul(keys.permute([1, 2, 0]))
    .mul(scale);
  const mask = new Float32Array(rows * columns);
  for (let t = 0; t < rows; t++) mask.fill(-Infinity, t * columns + columns - rows + t + 1, (t + 1) * columns);
  return products.add(fromData(mask, [1, rows, columns], { device: query.device })).reshape([heads, rows, columns]);
}

interface Operands {
  readonly query: Tensor<[number, number, number]>;
  readonly key: Vectors<number, number, number>;
  readonly past: Vectors<number, number, number> | undefined;
  readonly scale: number;
}

function operands({ inputs, params }: OpCall): Operands {
  const { scale, segments } = params as {
    readonly scale: number;
    readonly segments: readonly { readonly past: number }[];
  };
  if (segments.length > 1) {
    throw new OptionError("hooks", "attention is shown of one text at a time; this pass runs on several");
  }
  const tensorOf = (view: View): unknown => new Tensor(view as View<"float32">);
  const [query, key] = inputs;
  const past = inputs[segments[0]?.past ?? -1];
  return {
    query: tensorOf(query!) as Operands["query"],
    key: tensorOf(key!) as Operands["key"],
    past: past && (tensorOf(past) as Operands["past"]),
    scale,
  };
}

function expectLike(value: Tensor<readonly number[]>, result: unknown, { name }: Place): Tensor<readonly number[]> {
  const given = result as Tensor<readonly number[]>;
  const shape = `[${value.shape.join(", ")}]`;
  if (!(result instanceof Tensor) || given.dtype !== "float32") {
    throw new TypeError(`hook of ${name}: expected a float32 tensor ${shape} or nothing, got ${showValue(result)}`);
  }
  if (given.shape.length !== value.shape.length || given.shape.some((size, axis) => size !== value.shape[axis])) {
    throw new ShapeMismatchError(`hook of ${name}`, `expected ${shape} or nothing, got [${given.shape.join(", ")}]`);
  }
  return given;
}
