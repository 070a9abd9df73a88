// Written by test/look/lines.test.ts from a pass of the model, which says how; do not edit.

/** The SHA-256 of the model.ts that the lines are of. */
export const MODEL_HASH = "c4c11bf8d7ba77c74c685dd0cef14636f352f109e1d12380fadb67f2c7b07695";

/** Lines of model.ts: the one that makes a place's tensor, then those that it was called from. */
export const MODEL_LINES = {
  wte: [111, 105],
  wpe: [111, 105],
  "x.0": [111, 105],
  ln1: [167, 130, 115, 105],
  "attn.cAttn": [144, 130, 115, 105],
  "attn.query": [145, 130, 115, 105],
  "attn.key": [146, 130, 115, 105],
  "attn.value": [147, 130, 115, 105],
  "attn.y": [149, 130, 115, 105],
  "attn.cProj": [151, 130, 115, 105],
  attended: [130, 115, 105],
  ln2: [167, 132, 115, 105],
  "mlp.hidden": [162, 132, 115, 105],
  "mlp.cProj": [163, 132, 115, 105],
  x: [132, 115, 105],
  lnF: [167, 119, 105],
  logits: [172],
} as const;

export type LineKey = keyof typeof MODEL_LINES;
