/** What `bench:logits` writes to `results/<processor>/logits-node*.json`. */
import type { RunConditions } from "../harness/machine.ts";
import type { ErrorSummary } from "../reference-values.ts";

/** One prompt on one backend, against the float64 reference. */
export interface PromptErrors {
  readonly model: string;
  readonly backend: string;
  readonly prompt: string;
  readonly tokens: number;
  readonly prefill: ErrorSummary;
  /** Token by token with the cache; absent where it was not run. */
  readonly decode: ErrorSummary | undefined;
  readonly logprobs: ErrorSummary;
  /** The residual stream after each block, first block first; empty where the reference does not keep it. */
  readonly hidden: readonly ErrorSummary[];
  /** SHA-256 of every logit of the prefill: equal on two machines exactly when all bits are. */
  readonly digest: string;
}

/** A promise of bit-identical results and whether it held. */
export interface IdentityCheck {
  readonly model: string;
  readonly what: string;
  readonly held: boolean;
}

export interface LogitsResult {
  readonly kind: "logits";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly bound: ErrorSummary;
  readonly prompts: readonly PromptErrors[];
  readonly identities: readonly IdentityCheck[];
}
