// Written by test/look/lines.test.ts from a pass of the model, which says how; do not edit.

/** The SHA-256 of the model.ts that the lines are of. */
export const MODEL_HASH = "d08aa3f9a8458a0f01ba89c83b8ecd662e0056899282286dc3c446319ae0661d";

/** Lines of model.ts: the one that makes a place's tensor, then those that it was called from. */
export const MODEL_LINES = {
  wte: [111, 105],
  wpe: [111, 105],
  "x.0": [111, 105],
  ln1: [166, 129, 115, 105],
  "attn.cAttn": [143, 129, 115, 105],
  "attn.query": [144, 129, 115, 105],
  "attn.key": [145, 129, 115, 105],
  "attn.value": [146, 129, 115, 105],
  "attn.y": [148, 129, 115, 105],
  "attn.cProj": [150, 129, 115, 105],
  attended: [129, 115, 105],
  ln2: [166, 131, 115, 105],
  "mlp.hidden": [161, 131, 115, 105],
  "mlp.cProj": [162, 131, 115, 105],
  x: [131, 115, 105],
  lnF: [166, 118, 105],
  logits: [171],
} as const;

export type LineKey = keyof typeof MODEL_LINES;
