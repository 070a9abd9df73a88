import { columnsOf } from "@gpt2-ts/gpt2/draw";

export interface Cell {
  readonly text: string;
  /** From 0 to 1: how much it matters, which a terminal shows without colours, as those of its user are not known. */
  readonly strength?: number;
}

export interface Row {
  readonly label: string;
  readonly cells: readonly Cell[];
}

/** Columns of output that is no terminal. */
const WIDTH = 100;

/**
 * A table with a column for each cell of the rows, which have equally many. Columns that are too many for the width follow in bands
 * below.
 */
export function table(
  rows: readonly Row[],
  { columns: width = WIDTH, isTTY: styled = false } = process.stdout,
): string {
  const label = Math.max(...rows.map((row) => columnsOf(row.label)));
  const widths = rows[0]!.cells.map((_, c) => Math.max(...rows.map(({ cells }) => columnsOf(cells[c]!.text))));
  const useStyle = styled && !process.env["NO_COLOR"];
  const bands: string[] = [];
  for (let first = 0; first < widths.length; ) {
    let end = first + 1;
    for (let used = label + 2 + widths[first]!; end < widths.length; end++) {
      used += 2 + widths[end]!;
      if (used > width - 2) break;
    }
    const lines = rows.map((row) => {
      const cells = row.cells.slice(first, end).map((cell, i) => {
        const padding = " ".repeat(widths[first + i]! - columnsOf(cell.text));
        return padding + (useStyle ? style(cell) : cell.text);
      });
      return `  ${row.label}${" ".repeat(label - columnsOf(row.label))}  ${cells.join("  ")}`.trimEnd();
    });
    bands.push(`${lines.join("\n")}\n`);
    first = end;
  }
  return bands.join("\n");
}

/** Dim, as it is, bold or reversed. */
function style({ text, strength }: Cell): string {
  if (strength === undefined || text === "") return text;
  const code = strength < 0.1 ? 2 : strength < 0.4 ? 0 : strength < 0.7 ? 1 : 7;
  return code === 0 ? text : `\x1b[${code}m${text}\x1b[0m`;
}
