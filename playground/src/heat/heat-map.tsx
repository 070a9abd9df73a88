import { useEffect, useId, useRef, useState } from "preact/hooks";
import "./heat.css";
import { pixelsOf, type Scale } from "./paint.ts";
import { usePalette } from "./use-palette.ts";
import { useWidth } from "./use-width.ts";

export interface Cell {
  readonly row: number;
  readonly column: number;
}

export interface HeatMapProps {
  /** What it shows, for those who cannot see it. */
  readonly name: string;
  /** Row-major. */
  readonly values: ArrayLike<number>;
  readonly columns: number;
  readonly scale: Scale;
  /** What is told of the cell under the cursor. */
  readonly tell: (cell: Cell) => string;
  /** Where the cursor is while nobody has moved it. */
  readonly start: Cell;
  /** The row that is marked. */
  readonly marked?: number | undefined;
  /** Called with the row that is clicked, or on which Enter is pressed. */
  readonly onRow?: ((row: number) => void) | undefined;
  /** Cells are squares, at most so many pixels wide. Otherwise they fill the width. */
  readonly square?: number | undefined;
  readonly rowLabels?: readonly string[] | undefined;
  readonly columnLabels?: readonly string[] | undefined;
}

/** Cells of squares that are smaller have no labels. */
const LABELLED = 13;

/** A matrix as colours, with the number under the cursor: of the pointer, or moved by the arrow keys. */
export function HeatMap(props: HeatMapProps) {
  const { name, values, columns, scale, tell, start, marked, onRow, square, rowLabels, columnLabels } = props;
  const rows = values.length / columns;
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useWidth(frame);
  const [moved, setMoved] = useState<Cell>();
  const readout = useId();
  const palette = usePalette();

  const labelled = square !== undefined && rowLabels !== undefined && (room - LABEL_ROOM) / columns >= LABELLED;
  const width =
    square === undefined ? room : Math.min(room - (labelled ? LABEL_ROOM : 0), square * columns, WIDEST_SQUARE);
  const height =
    square === undefined ? rows * Math.max(4, Math.min(18, Math.floor(220 / rows))) : (width / columns) * rows;

  useEffect(() => {
    if (room === 0 || rows === 0) return;
    const pixels = Math.max(1, Math.min(columns, Math.round(width * devicePixelRatio)));
    const target = canvas.current!;
    target.width = pixels;
    target.height = rows;
    target
      .getContext("2d")!
      .putImageData(new ImageData(pixelsOf(values, columns, pixels, scale, palette), pixels, rows), 0, 0);
  }, [values, columns, scale, palette, width, room]);

  const cursor = {
    row: Math.min(moved?.row ?? start.row, rows - 1),
    column: Math.min(moved?.column ?? start.column, columns - 1),
  };
  const cellAt = (event: MouseEvent): Cell => {
    const box = canvas.current!.getBoundingClientRect();
    const part = (at: number, from: number, size: number, count: number): number =>
      Math.max(0, Math.min(count - 1, Math.floor(((at - from) / size) * count)));
    return {
      row: part(event.clientY, box.top, box.height, rows),
      column: part(event.clientX, box.left, box.width, columns),
    };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.key === "Enter" || event.key === " ") && onRow) {
      event.preventDefault();
      event.stopPropagation();
      onRow(cursor.row);
      return;
    }
    const next = movedBy(event, cursor, rows, columns);
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the arrows would step through the code
    setMoved(next);
  };
  const line = (index: number, count: number) => `${(100 * index) / count}%`;

  return (
    <div class="heat" ref={frame} style={{ "--label-room": labelled ? `${LABEL_ROOM}px` : "0px" }}>
      {labelled && columnLabels && (
        <div class="heat-columns" style={{ width: `${width}px` }} aria-hidden="true">
          {columnLabels.map((label, i) => (
            <span key={i} class={i === cursor.column ? "at" : ""} style={{ left: line(i + 0.5, columns) }}>
              {label}
            </span>
          ))}
        </div>
      )}
      <div class="heat-body">
        {labelled && (
          <div class="heat-rows" aria-hidden="true" style={{ height: `${height}px` }}>
            {rowLabels.map((label, i) => (
              <span key={i} class={i === cursor.row ? "at" : ""} style={{ top: line(i + 0.5, rows) }}>
                {label}
              </span>
            ))}
          </div>
        )}
        <div
          class="heat-field"
          style={{ width: `${width}px`, height: `${height}px` }}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move its cursor
          tabIndex={0}
          role="application"
          aria-roledescription="heat map"
          aria-label={name}
          aria-describedby={readout}
          onPointerMove={(event) => setMoved(cellAt(event))}
          onPointerDown={(event) => setMoved(cellAt(event))}
          onClick={(event) => onRow?.(cellAt(event).row)}
          onKeyDown={onKeyDown}
        >
          <canvas ref={canvas} />
          {marked !== undefined && marked >= 0 && marked < rows && (
            <div class="heat-marked" style={{ top: line(marked, rows), height: line(1, rows) }} />
          )}
          <div
            class="heat-cursor"
            style={{
              left: line(cursor.column, columns),
              width: line(1, columns),
              top: line(cursor.row, rows),
              height: line(1, rows),
            }}
          />
        </div>
      </div>
      <output class="heat-readout" id={readout}>
        {tell(cursor)}
      </output>
    </div>
  );
}

/** No square matrix is wider: it has to fit on a screen. */
const WIDEST_SQUARE = 640;
/** Pixels left of a labelled matrix. */
const LABEL_ROOM = 84;

function movedBy(
  { key, shiftKey, ctrlKey, altKey, metaKey }: KeyboardEvent,
  { row, column }: Cell,
  rows: number,
  columns: number,
): Cell | undefined {
  if (ctrlKey || altKey || metaKey) return undefined;
  const by = shiftKey ? 10 : 1;
  const inside = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));
  switch (key) {
    case "ArrowLeft":
      return { row, column: inside(column - by, columns) };
    case "ArrowRight":
      return { row, column: inside(column + by, columns) };
    case "ArrowUp":
      return { row: inside(row - by, rows), column };
    case "ArrowDown":
      return { row: inside(row + by, rows), column };
    case "Home":
      return { row, column: 0 };
    case "End":
      return { row, column: columns - 1 };
    default:
      return undefined;
  }
}
