/** Red, green, blue. */
export type Colour = readonly [number, number, number];

export interface Palette {
  readonly up: Colour;
  readonly down: Colour;
  readonly share: Colour;
}

/** `signed`: up and down from zero. `share`: parts of a whole, whose colour grows with the square root, so that small ones can be seen. */
export type Scale = "signed" | "share";

/** A colour as a browser tells it: `rgb(31, 35, 40)`. */
export function colourOf(style: string): Colour {
  const [, ...digits] = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(style) ?? [];
  if (digits.length === 0) throw new Error(`expected a colour such as rgb(31, 35, 40), got ${JSON.stringify(style)}`);
  return digits.map(Number) as unknown as Colour;
}

/** Values looked at to find what most of them stay below. */
const SAMPLES = 4096;

/**
 * What the strongest colour stands for: the 99th percentile of the absolute values, because a few channels of GPT-2's residual stream
 * are many times larger than all others.
 */
export function limitOf(values: ArrayLike<number>): number {
  const every = Math.max(1, Math.floor(values.length / SAMPLES));
  const magnitudes: number[] = [];
  for (let i = 0; i < values.length; i += every) {
    const magnitude = Math.abs(values[i]!);
    if (Number.isFinite(magnitude)) magnitudes.push(magnitude);
  }
  magnitudes.sort((a, b) => a - b);
  return magnitudes[Math.floor(0.99 * (magnitudes.length - 1))] || magnitudes.at(-1) || 1;
}

/**
 * Pixels of a matrix, four bytes each: the colour, as opaque as the value is strong. Where there are more columns than pixels, a pixel
 * shows the strongest of its values.
 *
 * @param values row-major, as many as `columns` divides
 */
export function pixelsOf(
  values: ArrayLike<number>,
  columns: number,
  width: number,
  scale: Scale,
  palette: Palette,
  limit = limitOf(values),
): Uint8ClampedArray<ArrayBuffer> {
  const rows = values.length / columns;
  const pixels = new Uint8ClampedArray(rows * width * 4);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < width; x++) {
      const first = Math.floor((x * columns) / width);
      const end = Math.max(first + 1, Math.floor(((x + 1) * columns) / width));
      let value = values[row * columns + first]!;
      for (let column = first + 1; column < end; column++) {
        const other = values[row * columns + column]!;
        if (Math.abs(other) > Math.abs(value)) value = other;
      }
      const strength = strengthOf(value, scale, limit);
      const [red, green, blue] = scale === "share" ? palette.share : value < 0 ? palette.down : palette.up;
      pixels.set([red, green, blue, 255 * strength], (row * width + x) * 4);
    }
  }
  return pixels;
}

/** From 0 to 1. What no token sees (−∞) has no colour. */
function strengthOf(value: number, scale: Scale, limit: number): number {
  if (!Number.isFinite(value)) return 0;
  return scale === "share" ? Math.sqrt(value) : Math.min(1, Math.abs(value) / limit) ** 0.75;
}
