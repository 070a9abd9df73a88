/** The nearest integer, the even one of two equally near; −0 and tiny negatives give −0. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction < 0.5) return below === 0 && Object.is(x, -0) ? -0 : below;
  const above = Math.ceil(x);
  if (fraction > 0.5) return above;
  return below % 2 === 0 ? below : above;
}
