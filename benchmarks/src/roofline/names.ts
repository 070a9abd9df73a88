/** The weights of a model by the memory they lie in, named as GPT-2's checkpoints name them, without the block's number. */
import type { Model } from "@gpt2-ts/gpt2";
import type { Storage } from "@gpt2-ts/tensor";
import type { NameOf } from "./recorder.ts";

/** Names matrices only: vectors are small, and alike in all ops that read them. */
export function weightNames({ weights: { wte, wpe, lmHead, h } }: Model): NameOf {
  const names = new Map<Storage, string>([
    [lmHead.storage, "lm_head"],
    [wpe.storage, "wpe"],
  ]);
  for (const { attn, mlp } of h) {
    names.set(attn.cAttn.weight.storage, "attn.c_attn");
    names.set(attn.cProj.weight.storage, "attn.c_proj");
    names.set(mlp.cFc.weight.storage, "mlp.c_fc");
    names.set(mlp.cProj.weight.storage, "mlp.c_proj");
  }
  // The token embeddings are the matrix of the logits too, unless a checkpoint has one of its own.
  return (op, storage) => (op === "embedding" && storage === wte.storage ? "wte" : names.get(storage));
}
