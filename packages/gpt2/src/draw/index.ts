export { drawAttentionArcs } from "./arcs.ts";
export { drawAttention, drawAttentionHeads } from "./attention.ts";
export { type DrawnContributions, drawContributions } from "./contributions.ts";
export { type DrawnLens, drawLens } from "./lens.ts";
export { type DrawnScore, drawSurprise } from "./surprise.ts";
export type { DrawOptions } from "./svg.ts";
export { LETTERS, type Letter, type ThemeName } from "./theme.ts";
export { columnsOf, shortToken, shownToken } from "./tokens.ts";
