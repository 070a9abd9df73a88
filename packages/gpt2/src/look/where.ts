import type { OpCall, Storage } from "@gpt2-ts/tensor";
import type { Model } from "../model/model.ts";
import { weightsByStorage } from "../model/places.ts";

/**
 * The place whose value a memory holds, of each model. All who listen share it: where one puts another value in place, that memory is
 * what the next operation reads, and the others have to know it.
 */
const placesOfMemory = new WeakMap<Model, WeakMap<Storage, string>>();

/**
 * Tells which place of the forward pass an operation computes: by the weight that it reads, or else by the places that its operands
 * came from. It looks at nothing but operands, so passes may be cut, packed and interleaved as they like.
 */
export class Where {
  readonly #model: Model;
  readonly #weightOf: ReturnType<typeof weightsByStorage>;
  readonly #placeOf: WeakMap<Storage, string>;

  constructor(model: Model) {
    this.#model = model;
    this.#placeOf = placesOfMemory.get(model) ?? new WeakMap();
    placesOfMemory.set(model, this.#placeOf);
    this.#weightOf = weightsByStorage(model);
  }

  /** The place of an operation that is about to run, or has run; undefined if it has none. */
  find({ op, inputs: [first, second] }: OpCall): string | undefined {
    const from = this.#placeOf.get(first!.storage);
    switch (op.name) {
      case "embedding":
        return this.#layerOf(first!.storage);
      case "layerNorm":
        return this.#layerOf(second!.storage);
      case "linear":
        return this.#linear(this.#layerOf(second!.storage));
      case "attention":
        return from?.replace(/cAttn$/, "y");
      case "matmul":
        return second!.storage === this.#model.weights.lmHead.storage ? "logits" : undefined;
      case "add":
        return sumOf(from) ?? sumOf(this.#placeOf.get(second!.storage));
      case this.#model.config.activation:
        return from?.endsWith(".mlp.cFc") ? from.replace("cFc", "hidden") : undefined;
      default:
        return undefined;
    }
  }

  /** Remembers what a memory holds now. */
  made(place: string, storage: Storage): void {
    this.#placeOf.set(storage, place);
  }

  /** The name in model.ts of the layer whose weight a memory is: `h.3.attn.c_attn.weight` belongs to `h.3.attn.cAttn`. */
  #layerOf(storage: Storage): string | undefined {
    const name = this.#weightOf(storage)?.name;
    return name?.replace(".weight", "").replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  }

  /** GELU is part of the product, other activations are an operation after it. */
  #linear(layer: string | undefined): string | undefined {
    const fused = this.#model.config.activation === "gelu" || this.#model.config.activation === "none";
    return fused ? layer?.replace(".mlp.cFc", ".mlp.hidden") : layer;
  }
}

/** What a sum is, of which one summand is known. */
function sumOf(summand: string | undefined): string | undefined {
  if (summand === "wte" || summand === "wpe") return "x.0";
  const [, layer, part] = /^h\.(\d+)\.(attn|mlp)\.cProj$/.exec(summand ?? "") ?? [];
  if (layer === undefined) return undefined;
  return part === "attn" ? `h.${layer}.attended` : `x.${Number(layer) + 1}`;
}
