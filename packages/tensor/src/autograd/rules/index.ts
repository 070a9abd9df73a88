import type { Op } from "../../backends/backend.ts";
import type { Rule, RuleEntry } from "../rule.ts";
import { attentionRules } from "./attention.ts";
import { binaryRules } from "./binary.ts";
import { indexingRules } from "./indexing.ts";
import { lossRules } from "./losses.ts";
import { normalizationRules } from "./normalization.ts";
import { productRules } from "./products.ts";
import { rearrangingRules } from "./rearranging.ts";
import { reductionRules } from "./reductions.ts";
import { unaryRules } from "./unary.ts";

const entries: readonly RuleEntry[] = [
  ...attentionRules,
  ...binaryRules,
  ...indexingRules,
  ...lossRules,
  ...normalizationRules,
  ...productRules,
  ...rearrangingRules,
  ...reductionRules,
  ...unaryRules,
];

/** The rule of every operation that has a gradient. */
export const rules: ReadonlyMap<Op<never>, Rule<never>> = new Map(entries);
