/** Where the tokens of a text stand that is written in lines, from left to right. */
export interface Flow {
  readonly places: readonly { readonly x: number; readonly row: number }[];
  readonly rows: number;
  /** Of the widest line. */
  readonly width: number;
}

/** Between two tokens. */
const GAP = 2;

/** Puts tokens of such widths into lines: a line ends where `room` does, and behind a token that ends a line of the text. */
export function flow(tokens: readonly string[], widths: readonly number[], room: number): Flow {
  let [x, row, width] = [0, 0, 0];
  const places = tokens.map((token, t) => {
    if (x > 0 && x + widths[t]! > room) [x, row] = [0, row + 1];
    const place = { x, row };
    x += widths[t]! + GAP;
    width = Math.max(width, x);
    if (token.endsWith("\n")) [x, row] = [0, row + 1];
    return place;
  });
  return { places, rows: x === 0 ? row : row + 1, width };
}
