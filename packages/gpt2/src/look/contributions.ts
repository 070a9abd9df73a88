import { embedding, fromData, keep, linear, type Tensor, tidy } from "@gpt2-ts/tensor";
import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Text } from "../language-model.ts";
import { checkTokenIds } from "../model/batch.ts";
import { type C, type H, logits, type Model } from "../model/model.ts";
import { checkFlag, checkInteger } from "../options.ts";
import { idsOf } from "../text-ids.ts";
import type { PlacedHook } from "./hooks.ts";
import { hookedPass, type Looked, type LookOptions, lookOptionNames } from "./pass.ts";
import { findPlaces } from "./places.ts";
import { besidePass, hooksOfPass, withoutStartedHooks } from "./started.ts";

export interface ContributionOptions extends LookOptions {
  /** The token of the text after which logits are explained, from 0; negative numbers count from the end. Default: the last. */
  readonly position?: number | undefined;
  /** The token whose logit is explained, by its id. Default: the one that the model finds likeliest there. */
  readonly target?: number | undefined;
  /** Explains the difference to the logit of this token instead. */
  readonly against?: number | undefined;
}

/** What a part of the model adds to a logit. */
export interface Contribution {
  /**
   * The place that it comes from: `wte`, `wpe`, `h.2.attn.head.1`, `h.2.mlp.cProj`; or the bias that is added there:
   * `h.2.attn.cProj.bias`, `lnF.bias`.
   */
  readonly part: string;
  readonly logit: number;
}

export interface Contributions {
  readonly ids: readonly number[];
  /** Each token's text, for display. */
  readonly tokens: readonly string[];
  /** Counted from 0. */
  readonly position: number;
  readonly target: Choice;
  readonly against: Choice | undefined;
  /** The logit, or the difference of the two logits, as the model computes it. */
  readonly logit: number;
  /** In the order of the pass. Their sum is `logit`, but for rounding. */
  readonly parts: readonly Contribution[];
}

/** A token that may follow. */
export interface Choice {
  readonly id: number;
  /** Its text, for display. */
  readonly token: string;
}

/**
 * How much each head and each MLP adds to the logit of a token: direct logit attribution (Elhage et al., "A mathematical framework for
 * transformer circuits", 2021). The final layer normalization divides by a number that depends on all parts; it is taken as it is, so that the rest is a sum. What
 * a part does by way of later ones counts for those.
 *
 * @throws OptionError, TokenIdError; what `run` throws; `signal.reason` when aborted
 */
export async function contributions(
  { model, tokenizer }: Looked,
  text: Text,
  options: ContributionOptions = {},
): Promise<Contributions> {
  checkOptionNames(options, [...lookOptionNames, "position", "target", "against"], "contributions");
  checkFlag("alone", options.alone);
  const ids = idsOf("contributions", tokenizer, text);
  const position = positionIn(ids, options.position);
  checkTarget(model, "target", options.target);
  checkTarget(model, "against", options.against);
  const rows = new Map<string, Tensor<readonly number[]>>();
  const reader = (pattern: string): PlacedHook[] =>
    findPlaces("places", model.config, pattern).map((place) => ({
      place,
      hook: (value: Tensor<readonly number[]>) =>
        void rows.set(place.name, keep(value.slice(0, position, position + 1))),
    }));
  const blocks = model.config.nLayer > 0 ? ["h.*.attn.y", "h.*.mlp.cProj"] : [];
  const hooks = [...hooksOfPass(model, options), ...["wte", "wpe", "x.*", ...blocks].flatMap(reader)];
  try {
    using final = await hookedPass(model, ids, hooks, options.signal);
    using scores = besidePass(
      model,
      options.alone,
    )(() => tidy(() => logits(model, final.slice(0, position, position + 1))));
    const row = await scores.data();
    const target = options.target ?? row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    const { against } = options;
    const choice = (id: number): Choice => ({ id, token: tokenizer.tokens([id])[0]! });
    return {
      ids,
      tokens: tokenizer.tokens(ids),
      position,
      target: choice(target),
      against: against === undefined ? undefined : choice(against),
      logit: row[target]! - (against === undefined ? 0 : row[against]!),
      parts: await partsOf(model, rows, await directionOf(model, target, against)),
    };
  } finally {
    for (const tensor of rows.values()) tensor.dispose();
  }
}

/** What the output of the final layer normalization is multiplied by, `[C]`. */
async function directionOf(model: Model, target: number, against: number | undefined): Promise<Float64Array> {
  const chosen = against === undefined ? [target] : [target, against];
  const { lmHead } = model.weights;
  // No hook on the embeddings is to see this: it is the weight that is read.
  using rows = withoutStartedHooks(model, () =>
    tidy(() => embedding(lmHead, fromData(chosen, [chosen.length], { dtype: "int32", device: lmHead.device }))),
  );
  const data = await rows.data();
  const { nEmbd } = model.config;
  return Float64Array.from({ length: nEmbd }, (_, c) => data[c]! - (data[nEmbd + c] ?? 0));
}

async function partsOf(
  model: Model,
  rows: ReadonlyMap<string, Tensor<readonly number[]>>,
  direction: Float64Array,
): Promise<Contribution[]> {
  const { config, weights } = model;
  const read = async (place: string): Promise<Float32Array> => rows.get(place)!.data();
  const gain = await weights.lnF.weight.data();
  const along = throughFinalNorm(await read(`x.${config.nLayer}`), gain, direction, config.layerNormEpsilon);
  const parts: Contribution[] = [];
  const add = (part: string, value: ArrayLike<number>, by = along): void => {
    parts.push({ part, logit: dot(value, by) });
  };
  add("wte", await read("wte"));
  add("wpe", await read("wpe"));
  for (const [layer, { attn }] of weights.h.entries()) {
    using y = tidy(() => apart(model, rows.get(`h.${layer}.attn.y`) as Tensor<[1, H, number]>));
    using written = withoutStartedHooks(model, () => linear(y, attn.cProj.weight)); // [H, C]
    const heads = await written.data();
    for (let head = 0; head < config.nHead; head++) {
      add(`h.${layer}.attn.head.${head}`, heads.subarray(head * config.nEmbd, (head + 1) * config.nEmbd));
    }
    add(`h.${layer}.attn.cProj.bias`, await attn.cProj.bias.data());
    add(`h.${layer}.mlp.cProj`, await read(`h.${layer}.mlp.cProj`));
  }
  add("lnF.bias", await weights.lnF.bias.data(), direction);
  return parts;
}

/** The heads' results, each in a row of its own, with zeros where those of the others stood: `[1, H, D]` → `[H, C]`. */
function apart({ sizes: { C, H, D } }: Model, y: Tensor<[1, H, number]>): Tensor<[H, C]> {
  const mask = new Float32Array(H * H);
  for (let head = 0; head < H; head++) mask[head * H + head] = 1;
  const own = fromData(mask, [H, H, 1], { device: y.device });
  return y.reshape([1, H, D]).mul(own).reshape([H, C]);
}

/**
 * What a part of the residual stream is to be multiplied by: the final layer normalization's mean, scale and gain, of the whole stream
 * `x`, on `direction`. In float64.
 */
function throughFinalNorm(x: Float32Array, gain: Float32Array, direction: Float64Array, epsilon: number): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const scaled = direction.map((value, c) => (value * gain[c]!) / Math.sqrt(variance + epsilon));
  const shift = scaled.reduce((sum, value) => sum + value, 0) / scaled.length; // each part's own mean is taken off it
  return scaled.map((value) => value - shift);
}

function dot(a: ArrayLike<number>, b: Float64Array): number {
  return b.reduce((sum, value, i) => sum + value * a[i]!, 0);
}

function positionIn({ length }: readonly number[], position = -1): number {
  checkInteger("position", position, -length, length - 1);
  return position < 0 ? position + length : position;
}

function checkTarget(model: Model, option: string, id: number | undefined): void {
  if (id === undefined) return;
  if (typeof id !== "number") throw new OptionError(option, `expected a token id, got ${showValue(id)}`);
  checkTokenIds(model, [id]);
}
