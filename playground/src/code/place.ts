import { string } from "../codecs.ts";
import { inUrl } from "../url.ts";

/** The place of the pass that the debugger stands at. */
export const codePlace = inUrl("place", "x.0", string);
