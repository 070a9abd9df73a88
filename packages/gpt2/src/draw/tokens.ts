/** For tokens: their blanks have to be seen, and their widths known without a browser. */
export const MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/** Advance of a monospaced letter as a share of its size. */
const ADVANCE = 0.605;

/** A token as it is drawn: blanks and line breaks as signs. */
export function shownToken(token: string): string {
  return token
    .replaceAll(" ", "·")
    .replaceAll("\n", "↵")
    .replaceAll("\t", "⇥")
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .replaceAll(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, "\ufffd"); // they would turn the line around
}

/** The first letters of a token, so that it is no wider than so many columns; if something is missing, the last is "…". */
export function shortToken(token: string, columns: number): string {
  const shown = shownToken(token);
  if (columnsOf(shown) <= columns) return shown;
  let short = "";
  for (const character of shown) {
    if (columnsOf(short + character) > columns - 1) break;
    short += character;
  }
  return `${short}…`;
}

/** Pixels that monospaced text of a size takes. */
export function monoWidth(content: string, size: number): number {
  return columnsOf(content) * size * ADVANCE;
}

/** Columns that text takes at a terminal: none for what is combined with the letter before, two for East Asian signs and emoji. */
export function columnsOf(content: string): number {
  let columns = 0;
  for (const character of content) {
    if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) continue;
    columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** A number with its sign, for adding up: a minus sign, not a hyphen. */
export function signed(value: number, digits: number): string {
  const shown = Math.abs(value).toFixed(digits);
  if (Number(shown) === 0) return shown;
  return `${value < 0 ? "−" : "+"}${shown}`;
}

export function percent(share: number): string {
  const shown = 100 * share;
  if (shown > 0 && shown < 0.5) return "<1 %";
  return `${shown.toFixed(0)} %`;
}
