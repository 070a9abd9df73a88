import { OptionError } from "@gpt2-ts/tensor/options";
import { checkInteger } from "../options.ts";
import type { GPT2Config } from "./config.ts";

/** The sizes of a model that is to be made. */
export interface ModelShape {
  readonly layers: number;
  /** They share the channels. */
  readonly heads: number;
  readonly channels: number;
  /** The longest context. */
  readonly context: number;
  readonly vocabSize: number;
  /** The id of the token that ends a text, and that one begins with. */
  readonly endOfText?: number | undefined;
}

/**
 * The config of a new model that is like GPT-2 in all but its sizes.
 *
 * @throws OptionError for sizes that are no integers from 1, and for channels that the heads cannot share
 */
export function newConfig({ layers, heads, channels, context, vocabSize, endOfText }: ModelShape): GPT2Config {
  for (const [name, size] of Object.entries({ layers, heads, channels, context, vocabSize })) {
    checkInteger(name, size, 1);
  }
  if (channels % heads !== 0) throw new OptionError("heads", `${channels} channels cannot be shared by ${heads} heads`);
  return {
    nLayer: layers,
    nHead: heads,
    nEmbd: channels,
    nInner: 4 * channels,
    nPositions: context,
    vocabSize,
    activation: "gelu",
    layerNormEpsilon: 1e-5,
    scaleAttnWeights: true,
    scaleAttnByInverseLayerIdx: false,
    tieWordEmbeddings: true,
    bosTokenId: endOfText,
    eosTokenIds: endOfText === undefined ? [] : [endOfText],
  };
}
