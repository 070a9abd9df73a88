/** A wrong model computes fast: an engine is measured once its logits are GPT-2's. */
import type { LogitQuality } from "../engines/language-checks.ts";
import { type Child, ChildError } from "../harness/child.ts";
import type { Facts } from "../speed/result.ts";

/** Prompts up to this long are checked against the reference. */
export const QUALITY_MAX_LENGTH = 64;
/** Nats, mean over positions. A wrong graph is off by several, float32 by less than 1e-5, the int8 here by 0.02 at most. */
const KL_BOUND = 0.1;

/** How near an engine's logits are; printed too. @throws ChildError if they are not GPT-2's */
export async function checkedQuality(child: Child, checkpoint: string, facts: Facts): Promise<LogitQuality> {
  const quality = await child.call<LogitQuality>("quality", checkpoint, QUALITY_MAX_LENGTH);
  const { max, rms, meanKl, top1 } = quality;
  const words = `logits max ${max.toExponential(1)}, RMS ${rms.toExponential(1)}, KL ${meanKl.toExponential(1)}, top-1 ${top1}`;
  console.log(`${child.name}: ${JSON.stringify(facts)}, ${words}`);
  if (!(meanKl < KL_BOUND)) throw new ChildError(child.name, `computes something else than GPT-2: ${words}`);
  return quality;
}
