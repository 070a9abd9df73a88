import { integer, optional } from "../codecs.ts";
import { inUrl } from "../url.ts";

/** The token whose logit is explained, by its id; undefined: the likeliest. */
export const target = inUrl("why", undefined, optional(integer(0)));
/** The token that it is compared with, if any. */
export const against = inUrl("rather", undefined, optional(integer(0)));
