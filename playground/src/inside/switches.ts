/** What can be switched off: heads and MLPs, by their places. */
export const headPlace = (layer: number, head: number): string => `h.${layer}.attn.head.${head}`;
export const mlpPlace = (layer: number): string => `h.${layer}.mlp.cProj`;

/** The places that are off after one was switched. In the order of a pass, so that the same choice has the same address. */
export function toggled(off: readonly string[], place: string): string[] {
  const next = off.includes(place) ? off.filter((other) => other !== place) : [...off, place];
  return next.sort(byPlace);
}

function byPlace(a: string, b: string): number {
  const [keyA, keyB] = [keyOf(a), keyOf(b)];
  return keyA[0] - keyB[0] || keyA[1] - keyB[1] || a.localeCompare(b);
}

function keyOf(place: string): readonly [layer: number, part: number] {
  const [, layer = "0", head] = /^h\.(\d+)\.(?:attn\.head\.(\d+))?/.exec(place) ?? [];
  return [Number(layer), head === undefined ? Infinity : Number(head)];
}

/** A place in words. */
export function nameOf(place: string): string {
  const [, layer, head] = /^h\.(\d+)\.attn\.head\.(\d+)$/.exec(place) ?? [];
  if (head !== undefined) return `head ${head} of layer ${layer}`;
  const [, block] = /^h\.(\d+)\.mlp\.cProj$/.exec(place) ?? [];
  return block === undefined ? place : `MLP of layer ${block}`;
}
