import { useEffect, useRef } from "preact/hooks";
import "./heat.css";
import { pixelsOf, type Scale } from "./paint.ts";
import { usePalette } from "./use-palette.ts";

/** A few values as a small picture, without numbers. */
export function Strip({
  values,
  columns,
  scale,
  class: name = "heat-strip",
  most = 96,
}: {
  readonly values: ArrayLike<number>;
  readonly columns: number;
  readonly scale: Scale;
  readonly class?: string;
  /** The most pixels that a row has. */
  readonly most?: number;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  useEffect(() => {
    const rows = values.length / columns;
    const width = Math.min(columns, most);
    const target = canvas.current!;
    target.width = width;
    target.height = rows;
    target
      .getContext("2d")!
      .putImageData(new ImageData(pixelsOf(values, columns, width, scale, palette), width, rows), 0, 0);
  }, [values, columns, scale, palette, most]);
  return <canvas ref={canvas} class={name} />;
}
